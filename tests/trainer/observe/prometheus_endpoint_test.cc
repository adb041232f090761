#include "trainer/observe/prometheus_endpoint.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port that nobody listened on a moment ago.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

std::string Scrape(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const sockaddr_in address = Loopback(port);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  EXPECT_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string reply;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = recv(fd, buffer, sizeof buffer, 0)) > 0) {
    reply.append(buffer, static_cast<size_t>(count));
  }
  close(fd);
  return reply;
}

TEST(PrometheusNameTest, HasOnlyTheCharactersThatPrometheusTakes) {
  EXPECT_EQ(PrometheusName("reward/mean"), "ponder_reward_mean");
  EXPECT_EQ(PrometheusName("reward/source/my-judge.2"), "ponder_reward_source_my_judge_2");
}

TEST(PrometheusEndpointTest, ServesTheNewestValuesWithTheirLabelsAndMeaning) {
  const int port = FreePort();
  PrometheusEndpoint endpoint(port, "demo");
  MetricRecord record(MetricFile::kMetrics);
  record.Set("reward/mean", 0.25);
  endpoint.Show(3, "reason", "", record);
  record.Set("reward/mean", 0.5);
  endpoint.Show(4, "reason", "", record);
  MetricRecord evaluation(MetricFile::kMetrics);
  evaluation.Set("val/sampled", 0.75);
  endpoint.Show(4, "reason", "heldout", evaluation);

  const std::string page = Scrape(port);
  EXPECT_THAT(page, HasSubstr("200 OK"));
  EXPECT_THAT(page, HasSubstr("# HELP ponder_reward_mean mean total reward"));
  EXPECT_THAT(page, HasSubstr("ponder_reward_mean{run=\"demo\",stage=\"reason\"} 0.5"));
  EXPECT_THAT(page, HasSubstr("ponder_step{run=\"demo\"} 4"));
  EXPECT_THAT(page, HasSubstr("set=\"heldout\""));
}

TEST(PrometheusEndpointTest, APortInUseIsNamed) {
  const int port = FreePort();
  const PrometheusEndpoint first(port, "demo");
  try {
    const PrometheusEndpoint second(port, "demo");
    FAIL() << "two endpoints on one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kIo);
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:" + std::to_string(port)));
    EXPECT_THAT(error.what(), HasSubstr("metrics.prometheus_port"));
  }
}

}  // namespace
}  // namespace ponder
