// A terminal of a chosen width in place of stdout.
#pragma once

#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>

namespace ponder {

// What `body` prints while stdout is a terminal of so many columns. Up to 8 KiB; throws nothing.
// Fails with an empty text when there is no terminal to be had.
template <typename Body>
std::string PrintedOnTerminal(unsigned short columns, const Body& body) {
  const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  int shell = -1;
  if (openpty(&terminal, &shell, nullptr, nullptr, &size) != 0) return {};
  std::fflush(stdout);
  const int before = dup(STDOUT_FILENO);
  dup2(shell, STDOUT_FILENO);
  body();
  std::cout.flush();
  std::fputs("\n", stdout);  // so that there is something to read
  std::fflush(stdout);
  dup2(before, STDOUT_FILENO);
  std::string text(8192, '\0');
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, read(terminal, text.data(), text.size()))));
  for (const int fd : {terminal, shell, before}) close(fd);
  return text;
}

}  // namespace ponder
