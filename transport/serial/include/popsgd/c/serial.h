// A link over a stream of bytes that may lose, change and invent some, e.g. a UART: popsgd::serial::SerialLink. What
// `popsgd agent --serial` speaks, too.
//
//     static uint64_t memory[POPSGD_SERIAL_WORDS(256, 1)];
//     popsgd_serial_init(&link, 256, &port, memory, sizeof memory);
//     popsgd_serial_open(link, &user);
//
//     popsgd_serial_send(link, frame, out.size);                         // what popsgd_agent_send() wrote
//     popsgd_serial_feed(link, bytes, count);                            // whenever some have come
//     if (popsgd_serial_wants_pump(link)) popsgd_serial_pump(link);      // whenever the port takes more
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Lies in the caller's memory, wholly; needs no end. Every function may be given null for it, and answers
/// POPSGD_NULL_POINTER, 0 or false. Nothing blocks, but for what the port does. Not thread-safe; an interrupt that has bytes
/// leaves them for the main loop.
typedef struct popsgd_serial popsgd_serial;

/// Where bytes go.
typedef struct popsgd_serial_port {
  /// Takes up to `count` bytes, >= 1, without waiting, in their order; the answer: how many, 0 if it is full. Must not call the link.
  size_t (*write)(void* context, const void* bytes, size_t count);
  void* context;  ///< must outlive the link
} popsgd_serial_port;

/// Who reads what a link brings. They are called from within feed and pump alone, and may call all functions of the link
/// but these two.
typedef struct popsgd_serial_user {
  /// A frame has come, 1 to `mtu` bytes, as the other end gave it away. Aligned as popsgd_agent_receive() wants it; valid during the call.
  void (*received)(void* context, popsgd_serial* link, const void* frame, size_t size);
  /// The link had no room, and has again. Null: nobody is told.
  void (*writable)(void* context, popsgd_serial* link);
  /// It is over; popsgd_serial_open() begins it anew, also from here. Null: nobody is told.
  void (*closed)(void* context, popsgd_serial* link);
  void* context;  ///< must outlive the link, or stay until it is closed
} popsgd_serial_user;

/// What was counted since popsgd_serial_open().
typedef struct popsgd_serial_counts {
  uint32_t received;  ///< frames that were whole
  uint32_t damaged;   ///< those that were not: dropped
  uint32_t overlong;  ///< those longer than the MTU: dropped
} popsgd_serial_counts;

#define POPSGD_SERIAL_LEAST_MTU 256  ///< the smallest frame that every agent can be content with

/// Most bytes along the line for a frame of `mtu`: the frame and its checksum, stuffed, between two zeros.
#define POPSGD_SERIAL_LINE(mtu) ((size_t)(mtu) + ((size_t)(mtu) + 4) / 254 + 7)
/// Memory of a link, as the length of an array of uint64_t, whose port may be `frames` >= 1 of `mtu` bytes behind.
#define POPSGD_SERIAL_WORDS(mtu, frames) \
  (sizeof(void*) * 3 + 5 + ((frames) + (size_t)1) * POPSGD_SERIAL_LINE(mtu) / 8)

/// A link for frames of up to `mtu` bytes, closed as yet, in `memory`, which is `size` bytes, 8-aligned, and must outlive it. On ok
/// `*link` is the link, else null. POPSGD_NULL_POINTER; POPSGD_NO_FUNCTION: the port's; POPSGD_INVALID_SIZE: an MTU below
/// POPSGD_SERIAL_LEAST_MTU; POPSGD_SCRATCH_TOO_SMALL: less than POPSGD_SERIAL_WORDS(mtu, 1), or not aligned.
popsgd_status popsgd_serial_init(popsgd_serial** link, uint16_t mtu, const popsgd_serial_port* port,
                                 void* memory, size_t size);

/// Begins, anew whatever was before: what waited for the port is dropped, and nobody is told. The line may be taken up at any
/// byte. POPSGD_NULL_POINTER; POPSGD_NO_FUNCTION: `received`.
popsgd_status popsgd_serial_open(popsgd_serial* link, const popsgd_serial_user* user);

/// Takes a frame, copied when it returns; that it arrives is not promised. POPSGD_NO_ROOM: nothing was taken, `writable` tells when
/// there is room again; POPSGD_LINK_CLOSED; POPSGD_INVALID_SIZE: an empty frame, or one longer than the MTU.
popsgd_status popsgd_serial_send(popsgd_serial* link, const void* frame, size_t size);

/// Bytes have come, of whatever kind: `received` is called for each frame that they complete. Of a link that is closed they are dropped.
popsgd_status popsgd_serial_feed(popsgd_serial* link, const void* bytes, size_t count);

/// Gives the port what waits for it; then calls `writable` if a frame had no room and now has, and `closed` after
/// popsgd_serial_close().
popsgd_status popsgd_serial_pump(popsgd_serial* link);

/// Whether popsgd_serial_pump() has anything to do: bytes wait for the port, or the link was closed and nobody told yet.
bool popsgd_serial_wants_pump(const popsgd_serial* link);

/// Gives the link up, also from within its callbacks: nothing is taken or brought any more, what waits is dropped, and the next pump
/// calls `closed`, once.
void popsgd_serial_close(popsgd_serial* link);

/// Nothing happens if one of the two is null.
void popsgd_serial_counted(const popsgd_serial* link, popsgd_serial_counts* counts);

#ifdef __cplusplus
}
#endif
// NOLINTEND
