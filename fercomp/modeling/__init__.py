"""Networks: backbones, training, the bundle that travels, and the runtime that runs it."""

import sys
from typing import cast

# OpenVINO's converter reports its use to its makers unless this package cannot be imported; None in
# `sys.modules` is Python's way to say so. What runs here is nobody else's business.
cast(dict[str, object], sys.modules).setdefault("openvino_telemetry", None)
