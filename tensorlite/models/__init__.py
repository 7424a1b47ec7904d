"""Networks as Python classes, that come with tensorlite."""

from .efficientnet_lite import EfficientNetLite0 as EfficientNetLite0
