"""Other names of nets; needs no torch."""

from __future__ import annotations

# What people type for nets that are kept under another name: torchvision's names where timm's class
# is used, and the names of papers and other libraries. None hides another net.
ALIASES = {
    "lenet": "lenet5",
    "lenet_5": "lenet5",
    "alexnet_2012": "alexnet_two_towers",
    "zf_net": "zfnet",
    "plain_34": "plain34",
    "vgg34": "plain34",
    "inception": "googlenet",
    "inception_v1": "googlenet",
    "bn_inception": "inception_v2",
    "bninception": "inception_v2",
    "inceptionv2": "inception_v2",
    "inceptionv3": "inception_v3",
    "inceptionv4": "inception_v4",
    "resnet": "resnet50",
    "densenet": "densenet121",
    "squeezenet": "squeezenet1_1",
    "xception": "legacy_xception",
    "resnext50": "resnext50_32x4d",
    "senet": "seresnext50_32x4d",
    "seresnext50": "seresnext50_32x4d",
    "se_resnext50": "seresnext50_32x4d",
    "se_resnet50": "seresnet50",
    "mobilenet": "mobilenetv1_100",
    "mobilenet_v1": "mobilenetv1_100",
    "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3": "mobilenetv3_large_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
    "mobilenet_v3_small": "mobilenetv3_small_100",
    "efficientnet": "efficientnet_b0",
    "efficientnet_lite": "tf_efficientnet_lite0",
    "drop_connect": "dropconnect",
    "color_histogram": "colour_histogram",
    "local_binary_patterns": "lbp",
    "bag_of_features": "sift_bof",
    "bag_of_words": "sift_bof",
    "fisher": "fisher_vectors",
    "fisher_vector": "fisher_vectors",
    "spm": "spatial_pyramid",
}


def canonical(name: str) -> str:
    """Return the name a net is built and found by.

    >>> canonical("mobilenet_v2")
    'mobilenetv2_100'
    """
    return ALIASES.get(name, name)
