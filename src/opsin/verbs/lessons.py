"""What is asked to be shown: augmentation, convolution, architectures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from opsin.errors import InputError
from opsin.verbs._asked import Watch, ignore

if TYPE_CHECKING:
    from opsin.data.dataset import Dataset
    from opsin.lessons.augmented import Sheet
    from opsin.lessons.gallery import Gallery
    from opsin.lessons.net_tables import Described, Listed
    from opsin.lessons.picture import Filtered


def augment(
    subject: str | Path | Dataset,
    *,
    policy: str = "auto",
    out: str | Path | None = None,
    seed: int = 0,
    root: str | Path | None = None,
) -> Sheet:
    """Show what an augmentation makes of pictures: a sheet of eight by eight.

    One picture is shown 64 times, of a data set eight pictures eight times, the first of each as
    it is. What a policy means is printed; any line that `opsin train --augment` takes will do.

    \b
    Geometry   flip [CHANCE], rotate DEGREES, translate SHARE, scale LEAST MOST, shear DEGREES,
               crop, centre, perspective SHARE, elastic ALPHA SIGMA
    Colour     color SHARE, brightness SHARE, contrast SHARE, saturation SHARE, hue DEGREES,
               grey [CHANCE]
    Pixels     noise SHARE, blur SIGMA, jpeg LEAST MOST
    Covers     cutout SHARE, erase [CHANCE]
    At the end copies N [plain]: N fixed versions of each picture instead of new ones for ever

    Policies: none, light, strong, digits, auto, and the twelve sets of the MNIST study: original,
    centred, elastic, translation, rotation, elastic-centred, rotation-centred,
    translation-elastic, translation-rotation, rotation-elastic, rotation-elastic-centred,
    elastic-elastic.

    Args:
        subject: a picture, a folder of class folders, a table or a named set
        policy: a name, or operations between commas
        out: the file to write: .png, .jpg, .webp or .bmp
        seed: another seed shows other draws
        root: where a named set lies on this machine, or the folder a table's paths start from

    Examples:
        opsin augment photo.jpg --policy strong --out sheet.png
        opsin augment photo.jpg --policy 'rotate 15, elastic 300 16, jpeg 20 80' --out sheet.png
        opsin augment samples:digits --policy rotation-elastic --out digits.png
    """
    from opsin.lessons import augmented

    if out is None:
        raise InputError("no out", expected="a file to write", remedy="Add --out sheet.png.")
    return augmented.draw_file(subject, policy, out, seed, root)


def convolve(
    image: str | Path,
    *,
    out: str | Path | None = None,
    kernel: str | None = None,
    stride: int = 1,
    padding: str | int = "valid",
    dilation: int = 1,
    signed: str = "auto",
    gallery: bool = False,
) -> Filtered | Gallery:
    """Slide a kernel over a picture and write what comes out as a picture.

    Kernels slide as they are written, not turned over, as in nets. Each colour is filtered for
    itself. Says what size comes out and whether the windows end where the picture does.

    Args:
        image: a picture file
        out: the file to write: .png, .jpg, .webp or .bmp
        kernel: a name, as sharpen, gaussian-5, sobel-x, or a matrix, as '1 0 -1; 2 0 -2; 1 0 -1'
        stride: pixels from one place to the next
        padding: zeros around the picture: a number, valid for none, same to keep the size
        dilation: pixels from one number of the kernel to the next
        signed: how to show what may be negative: clip, rescale (0 is grey), absolute, or auto
        gallery: draw what every named kernel does, on one sheet

    Examples:
        opsin convolve photo.jpg --kernel sharpen --out sharp.png
        opsin convolve photo.jpg --kernel sobel-x --signed absolute --out edges.png
        opsin convolve photo.jpg --kernel '1 0 -1; 2 0 -2; 1 0 -1' --stride 2 --out half.png
        opsin convolve --gallery photo.jpg --out kernels.png
    """
    from opsin.lessons import gallery as sheet
    from opsin.lessons import picture
    from opsin.ops.arithmetic import Window, padding_of
    from opsin.ops.kernels import parse

    if out is None:
        raise InputError("no out", expected="a file to write", remedy="Add --out sharp.png.")
    if gallery == (kernel is not None):
        raise InputError(
            "kernel beside gallery" if gallery else "no kernel",
            expected="one kernel, or gallery for all of them",
            remedy="Add --kernel sharpen, or another name or matrix." if not gallery else "",
        )
    ends = padding_of(padding)
    if kernel is None:
        return sheet.draw_file(image, out, stride=stride, padding=ends, dilation=dilation)
    chosen = parse(kernel)
    window = Window(chosen.size, stride, ends, dilation)
    return picture.filter_file(image, chosen, window, out, signed=signed)


def nets(
    net: str | None = None,
    *,
    spec: str | None = None,
    input: str | None = None,
    classes: int | None = None,
    batch: int = 32,
    speed: bool = False,
    draw: str | Path | None = None,
    maps: str | Path | None = None,
    layer: str | None = None,
    out: str | Path | None = None,
    watch: Watch = ignore,
) -> Listed | Described:
    """List the nets there are, or say what one gives, costs and sees, layer by layer.

    Counts are exact and need no memory for the weights. A net described in a line can be trained,
    too, with the line as --net.

    \b
    conv HxWxK       K filters: stride S, pad P|same|valid, dilation D, groups G, linear
    depthwise HxW    a filter a channel: stride, pad, dilation, linear
    pool N           the largest of NxN: stride S, pad P, ceil; average for the mean
    global           the mean of each map
    dense N          a linear layer: linear
    bn, dropout P, relu, sigmoid, tanh

    A ReLU follows every conv, depthwise and dense but the last, and comes after bn; "linear" or an
    activation of one's own stands instead. No padding where none is given.

    Args:
        net: a name, a model file or run folder, or nothing for the table of nets
        spec: a net described in a line, layers between commas
        input: pictures, height x width x channels; else those the net is made for
        classes: outputs of the last layer instead of the net's own
        batch: pictures to count the memory of activations for
        speed: measure images a second on this machine, and remember it
        draw: an SVG file to draw the net in
        maps: a picture to show kernels and feature maps of a trained net on, with out
        layer: show the maps of this layer alone, and more of them
        out: the picture file to write the maps to

    Examples:
        opsin nets
        opsin nets vgg16 --input 224x224x3 --classes 9
        opsin nets --spec 'conv 5x5x8, pool 2, conv 5x5x16, dense 10' --input 32x32x3
        opsin nets resnet50 --draw resnet50.svg
        opsin nets resnet50 --speed
        opsin nets runs/shoes
        opsin nets runs/shoes --maps photo.jpg --out maps.png
    """
    from opsin.lessons import described as room

    if net is not None and spec is not None:
        raise InputError("a net beside spec", expected="one of the two")
    if net is None and spec is None:
        given = {"input": input, "classes": classes, "draw": draw, "maps": maps}
        if lonely := [name for name, value in given.items() if value is not None]:
            raise InputError(
                f"{lonely[0]} without a net",
                expected="a net, or spec",
                remedy="As in: opsin nets vgg16 --input 224x224x3",
            )
        if speed:
            room.measure([], watch)
        return room.list_nets()
    if (maps is None) != (out is None) or (layer is not None and maps is None):
        raise InputError("one of maps and out", expected="both", remedy="--maps a.jpg --out b.png")
    found = room.answer(net, spec, room.Asked(input, classes, batch))
    if speed:
        found = room.measured(found, watch)
    if draw is not None:
        found = room.drawn(found, draw)
    return found if maps is None or out is None else room.shown(found, net, maps, out, layer)
