// Stands in for an Arduino core, of which a sketch uses this much. A clock that a test drives, and ports that lead nowhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

inline std::uint32_t the_time = 0;  // ms

inline unsigned long millis() {
  return the_time;
}
inline unsigned long micros() {
  return 1000 * the_time + 1;
}
inline long random(long from, long to) {
  return from + std::rand() % (to - from);
}

struct Port {
  void begin(unsigned long) {}
  int available() { return 0; }
  int read() { return -1; }
  int availableForWrite() { return 64; }
  std::size_t write(const std::uint8_t*, std::size_t size) { return size; }
  void println(const char* words) { std::puts(words); }
};
inline Port Serial;
inline Port Serial1;
