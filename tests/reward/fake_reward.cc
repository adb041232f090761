// A user's reward program that behaves as its first argument says; for tests.
//
//   fake_reward good | short | nan | high | text | wrong_id | refuse | complain | noisy
//   fake_reward die | hang            at the first request
//   fake_reward die_once FILE         dies at the first request, unless FILE is there already
//   fake_reward slow MILLISECONDS     answers well, but only after so long
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

namespace {

using nlohmann::json;

// 1 for each response whose last word is the reference.
json Scores(const json& group) {
  json scores = json::array();
  const std::string reference = " " + group.at("reference").get<std::string>();
  for (const json& response : group.at("responses")) {
    scores.push_back((" " + response.get<std::string>()).ends_with(reference) ? 1 : 0);
  }
  return scores;
}

void Answer(const json& reply) { std::cout << reply.dump() << std::endl; }

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "good";
  const std::string argument = argc > 2 ? argv[2] : "";
  if (mode == "noisy") std::cerr << "loading the judge\nready" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    const json group = json::parse(line);
    json reply{{"id", group.at("id")}, {"scores", Scores(group)}};
    if (mode == "die" || (mode == "die_once" && !std::ifstream(argument).good())) {
      if (!argument.empty()) std::ofstream(argument) << "died\n";
      std::cerr << "NameError: name 'judge' is not defined" << std::endl;
      return 3;
    }
    if (mode == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
    if (mode == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(argument)));
    if (mode == "short") reply["scores"].erase(0);
    if (mode == "high") reply["scores"][0] = 7;
    if (mode == "text") reply["scores"][0] = "good";
    if (mode == "wrong_id") reply["id"] = 1'000'000;
    if (mode == "refuse") reply = {{"id", reply["id"]}, {"refused", "the reference is no number"}};
    if (mode == "complain") reply = {{"id", reply["id"]}, {"error", "the database is away"}};
    if (mode == "nan") {
      std::cout << R"({"id": )" << reply["id"] << R"(, "scores": [NaN]})" << std::endl;
    } else {
      Answer(reply);
    }
  }
}
