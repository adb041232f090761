"""A reward of `type: command`: 1 when the response ends with the reference answer, else 0."""
import json
import sys

for line in sys.stdin:
    group = json.loads(line)
    scores = [1.0 if response.split()[-1:] == [group["reference"]] else 0.0
              for response in group["responses"]]
    print(json.dumps({"id": group["id"], "scores": scores}), flush=True)
