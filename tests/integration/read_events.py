"""Prints what TensorBoard itself reads from a run's event files: {"TAG": [[step, value], ...]}.

Exits with 77 when the tensorboard package is not there.
"""

import json
import sys

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(77)

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
curves = {
    tag: [[event.step, event.value] for event in events.Scalars(tag)]
    for tag in events.Tags()["scalars"]
}
print(json.dumps(curves))
