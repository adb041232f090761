r"""A reward of `type: grpc`: 1 when the response ends with the reference answer, else 0.

    pip install grpcio grpcio-tools
    mkdir -p build/stubs
    python -m grpc_tools.protoc -I proto --python_out=build/stubs --grpc_python_out=build/stubs \
        ponder/v1/user_reward.proto
    PYTHONPATH=build/stubs python examples/rewards/grpc_reward.py 50600
"""
import sys
from concurrent import futures

import grpc
from ponder.v1 import user_reward_pb2
from ponder.v1 import user_reward_pb2_grpc


class LastWord(user_reward_pb2_grpc.UserRewardServicer):

    def Judge(self, request, context):
        scores = [1.0 if response.split()[-1:] == [request.reference] else 0.0
                  for response in request.responses]
        return user_reward_pb2.JudgeReply(scores=scores)


if __name__ == "__main__":
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    user_reward_pb2_grpc.add_UserRewardServicer_to_server(LastWord(), server)
    port = server.add_insecure_port("127.0.0.1:" + (sys.argv[1] if len(sys.argv) > 1 else "50600"))
    server.start()
    print("serves on 127.0.0.1:%d" % port, flush=True)
    server.wait_for_termination()
