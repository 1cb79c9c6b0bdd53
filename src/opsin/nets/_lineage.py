"""Where the known nets come from: paper, year, parents, and what lectures say of them.

Facts of history only; whatever can be counted is counted (``_catalogue``). Years are those a paper
was first public; ``layers`` are layers with weights, as the paper counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Paper:
    """Is where a net was published; ``arxiv`` is "" for what is not there."""

    year: int
    authors: str
    title: str
    venue: str
    arxiv: str = ""

    @property
    def short(self) -> str:
        """Return authors and title in a few words.

        >>> VGG.short
        'Simonyan & Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition'
        """
        names = self.authors.split(", ")
        who = " & ".join(names) if len(names) < 3 else f"{names[0]} et al."
        return f"{who}, {self.title.partition(':')[0]}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "short": self.short,
            "authors": self.authors,
            "title": self.title,
            "venue": self.venue,
            "arxiv": self.arxiv or None,
        }


@dataclass(frozen=True, slots=True)
class Origin:
    """Is what is known of a net beside its blueprint.

    ``lecture`` is the parameter count that the lectures behind this project give, as they write it;
    ``remark`` says what else one should know of these counts.
    """

    paper: Paper
    layers: int | None = None
    parents: tuple[str, ...] = ()
    lecture: str = ""
    remark: str = ""

    @property
    def claimed(self) -> float | None:
        """Return the lecture's count as a number.

        >>> Origin(LENET, lecture="60 k").claimed
        60000.0
        """
        if not self.lecture:
            return None
        number, unit = self.lecture.split()
        return float(number) * {"k": 1e3, "M": 1e6}[unit]


NEOCOGNITRON = Paper(
    1980,
    "Fukushima",
    "Neocognitron: A Self-organizing Neural Network Model for a Mechanism of Pattern Recognition "
    "Unaffected by Shift in Position",
    "Biological Cybernetics 36",
)
LENET = Paper(
    1998,
    "LeCun, Bottou, Bengio, Haffner",
    "Gradient-Based Learning Applied to Document Recognition",
    "Proceedings of the IEEE 86",
)
ALEXNET = Paper(
    2012,
    "Krizhevsky, Sutskever, Hinton",
    "ImageNet Classification with Deep Convolutional Neural Networks",
    "NIPS 2012",
)
DROPCONNECT = Paper(
    2013,
    "Wan, Zeiler, Zhang, LeCun, Fergus",
    "Regularization of Neural Networks using DropConnect",
    "ICML 2013",
)
ZFNET = Paper(
    2013,
    "Zeiler, Fergus",
    "Visualizing and Understanding Convolutional Networks",
    "ECCV 2014",
    "1311.2901",
)
ONE_TOWER = Paper(
    2014,
    "Krizhevsky",
    "One weird trick for parallelizing convolutional neural networks",
    "arXiv",
    "1404.5997",
)
VGG = Paper(
    2014,
    "Simonyan, Zisserman",
    "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    "ICLR 2015",
    "1409.1556",
)
GOOGLENET = Paper(
    2014,
    "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
    "Going Deeper with Convolutions",
    "CVPR 2015",
    "1409.4842",
)
BN_INCEPTION = Paper(
    2015,
    "Ioffe, Szegedy",
    "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    "ICML 2015",
    "1502.03167",
)
NIELSEN = Paper(
    2015,
    "Nielsen",
    "Neural Networks and Deep Learning, chapter 6: network3",
    "Determination Press",
)
INCEPTION_V3 = Paper(
    2015,
    "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
    "Rethinking the Inception Architecture for Computer Vision",
    "CVPR 2016",
    "1512.00567",
)
RESNET = Paper(
    2015,
    "He, Zhang, Ren, Sun",
    "Deep Residual Learning for Image Recognition",
    "CVPR 2016",
    "1512.03385",
)
SQUEEZENET = Paper(
    2016,
    "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer",
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    "arXiv",
    "1602.07360",
)
INCEPTION_V4 = Paper(
    2016,
    "Szegedy, Ioffe, Vanhoucke, Alemi",
    "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    "AAAI 2017",
    "1602.07261",
)
DENSENET = Paper(
    2016,
    "Huang, Liu, van der Maaten, Weinberger",
    "Densely Connected Convolutional Networks",
    "CVPR 2017",
    "1608.06993",
)
XCEPTION = Paper(
    2016,
    "Chollet",
    "Xception: Deep Learning with Depthwise Separable Convolutions",
    "CVPR 2017",
    "1610.02357",
)
RESNEXT = Paper(
    2016,
    "Xie, Girshick, Dollár, Tu, He",
    "Aggregated Residual Transformations for Deep Neural Networks",
    "CVPR 2017",
    "1611.05431",
)
MOBILENET = Paper(
    2017,
    "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam",
    "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    "arXiv",
    "1704.04861",
)
SENET = Paper(
    2017,
    "Hu, Shen, Albanie, Sun, Wu",
    "Squeeze-and-Excitation Networks",
    "CVPR 2018",
    "1709.01507",
)
MOBILENET_V2 = Paper(
    2018,
    "Sandler, Howard, Zhu, Zhmoginov, Chen",
    "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    "CVPR 2018",
    "1801.04381",
)
SHUFFLENET = Paper(
    2018,
    "Ma, Zhang, Zheng, Sun",
    "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    "ECCV 2018",
    "1807.11164",
)
MNASNET = Paper(
    2018,
    "Tan, Chen, Pang, Vasudevan, Sandler, Howard, Le",
    "MnasNet: Platform-Aware Neural Architecture Search for Mobile",
    "CVPR 2019",
    "1807.11626",
)
MOBILENET_V3 = Paper(
    2019,
    "Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
    "Searching for MobileNetV3",
    "ICCV 2019",
    "1905.02244",
)
EFFICIENTNET = Paper(
    2019,
    "Tan, Le",
    "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    "ICML 2019",
    "1905.11946",
)
LITE = Paper(
    2020,
    "Liu",
    "Higher accuracy on vision models with EfficientNet-Lite",
    "TensorFlow blog",
)
REGNET = Paper(
    2020,
    "Radosavovic, Kosaraju, Girshick, He, Dollár",
    "Designing Network Design Spaces",
    "CVPR 2020",
    "2003.13678",
)
EFFICIENTNET_V2 = Paper(
    2021,
    "Tan, Le",
    "EfficientNetV2: Smaller Models and Faster Training",
    "ICML 2021",
    "2104.00298",
)
CONVNEXT = Paper(
    2022,
    "Liu, Mao, Wu, Feichtenhofer, Darrell, Xie",
    "A ConvNet for the 2020s",
    "CVPR 2022",
    "2201.03545",
)

# Every known net, the oldest first; a net stands after its parents.
ORIGINS = {
    "neocognitron": Origin(NEOCOGNITRON),
    "lenet5": Origin(
        LENET,
        7,
        ("neocognitron",),
        "60 k",
        "with C3 connected to all of S2; the paper's C3 sees part of it, 60,000 in all. Its 7 "
        "layers include two of subsampling, which had weights then",
    ),
    "alexnet_two_towers": Origin(
        ALEXNET, 8, ("lenet5",), "60 M", "the paper says 60 million, too; this is the exact count"
    ),
    "dropconnect": Origin(DROPCONNECT, None, ("lenet5",)),
    "zfnet": Origin(ZFNET, 8, ("alexnet_two_towers",)),
    "alexnet": Origin(ONE_TOWER, 8, ("alexnet_two_towers",), "60 M", "one tower, fewer filters"),
    "vgg11_bn": Origin(VGG, 11, ("alexnet",)),
    "vgg16": Origin(VGG, 16, ("alexnet",), "138 M"),
    "vgg19": Origin(VGG, 19, ("vgg16",), "138 M", "138 M is VGG-16"),
    "googlenet": Origin(GOOGLENET, 22, ("alexnet",), "6.6 M"),
    "inception_v2": Origin(BN_INCEPTION, None, ("googlenet",)),
    "network3": Origin(NIELSEN, None, ("lenet5",)),
    "inception_v3": Origin(
        INCEPTION_V3,
        42,
        ("inception_v2",),
        "23 M",
        "without the side head. The paper says 42 layers deep, the lecture 47; the longest way "
        "through has 47 convolutions and the dense layer",
    ),
    "plain34": Origin(RESNET, 34, ("vgg19",)),
    "resnet18": Origin(RESNET, 18, ("plain34",)),
    "resnet34": Origin(RESNET, 34, ("plain34",)),
    "resnet50": Origin(RESNET, 50, ("resnet34",), "25.6 M"),
    "resnet101": Origin(RESNET, 101, ("resnet50",)),
    "resnet152": Origin(RESNET, 152, ("resnet50",)),
    "squeezenet1_0": Origin(SQUEEZENET, 18, ("alexnet",)),
    "squeezenet1_1": Origin(SQUEEZENET, 18, ("squeezenet1_0",)),
    "inception_v4": Origin(
        INCEPTION_V4, None, ("inception_v3",), "55 M", "55.8 M is Inception-ResNet-v2"
    ),
    "densenet121": Origin(DENSENET, 121, ("resnet50",)),
    "legacy_xception": Origin(
        XCEPTION,
        36,
        ("inception_v3",),
        "22.9 M",
        "the paper counts 36 convolutions, where a separable one is one; the lecture's 81 layers "
        "are Keras' count. 79.0 % top-1 and 94.5 % top-5 on ImageNet",
    ),
    "resnext50_32x4d": Origin(RESNEXT, 50, ("resnet50",)),
    "mobilenetv1_100": Origin(MOBILENET, 28, ("legacy_xception",)),
    "seresnet50": Origin(SENET, 50, ("resnet50",)),
    "seresnext50_32x4d": Origin(
        SENET,
        50,
        ("resnext50_32x4d", "seresnet50"),
        "",
        "2.25 % top-5 error on ImageNet is an ensemble around SENet-154, not this net",
    ),
    "mobilenetv2_100": Origin(MOBILENET_V2, None, ("mobilenetv1_100", "resnet50")),
    "shufflenet_v2_x1_0": Origin(SHUFFLENET, 50, ("mobilenetv1_100",)),
    "mnasnet_100": Origin(MNASNET, None, ("mobilenetv2_100", "seresnet50")),
    "mobilenetv3_small_100": Origin(MOBILENET_V3, None, ("mobilenetv2_100", "mnasnet_100")),
    "mobilenetv3_large_100": Origin(MOBILENET_V3, None, ("mobilenetv2_100", "mnasnet_100")),
    "efficientnet_b0": Origin(EFFICIENTNET, None, ("mnasnet_100",), "5.3 M"),
    "efficientnet_b1": Origin(EFFICIENTNET, None, ("efficientnet_b0",)),
    "efficientnet_b2": Origin(EFFICIENTNET, None, ("efficientnet_b0",)),
    "efficientnet_b3": Origin(EFFICIENTNET, None, ("efficientnet_b0",)),
    "efficientnet_b4": Origin(EFFICIENTNET, None, ("efficientnet_b0",)),
    "efficientnet_b5": Origin(EFFICIENTNET, None, ("efficientnet_b0",)),
    "efficientnet_b6": Origin(EFFICIENTNET, None, ("efficientnet_b0",)),
    "efficientnet_b7": Origin(EFFICIENTNET, None, ("efficientnet_b0",), "66 M"),
    "tf_efficientnet_lite0": Origin(LITE, None, ("efficientnet_b0",)),
    "tf_efficientnet_lite1": Origin(LITE, None, ("tf_efficientnet_lite0",)),
    "tf_efficientnet_lite2": Origin(LITE, None, ("tf_efficientnet_lite0",)),
    "tf_efficientnet_lite3": Origin(LITE, None, ("tf_efficientnet_lite0",)),
    "tf_efficientnet_lite4": Origin(LITE, None, ("tf_efficientnet_lite0",)),
    "regnety_004": Origin(REGNET, None, ("resnext50_32x4d", "seresnet50")),
    "regnety_016": Origin(REGNET, None, ("regnety_004",)),
    "tf_efficientnetv2_s": Origin(EFFICIENTNET_V2, None, ("efficientnet_b0",)),
    "convnext_tiny": Origin(CONVNEXT, None, ("resnet50", "mobilenetv2_100")),
}
