// Where a device keeps what must outlive a loss of power: implemented by the platform.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/status.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POPSGD_PAGE 256  ///< bytes of every write
#define POPSGD_SLOTS 2

/// Two slots of equal size: two regions of flash, two files, an FRAM. The contract is that of popsgd/store.h, in short:
/// `slot` is 0 or 1; every range lies within slot_size; each page is written at most once after an erase. All functions
/// are needed, may block for as long as the medium takes, and call nothing of the SDK. What they answer goes to the
/// caller of popsgd_agent_save() or popsgd_agent_restore() unchanged; POPSGD_STORE_FAILED is a medium that does not answer.
typedef struct popsgd_store {
  size_t slot_size;  ///< bytes of a slot, see popsgd_agent_checkpoint_size()
  /// Any `length` bytes from `offset` on. What was cut while it was written may come as any bytes, with ok.
  popsgd_status (*read)(void* context, unsigned slot, size_t offset, void* into, size_t length);
  /// One page of POPSGD_PAGE bytes, at a multiple of that.
  popsgd_status (*write)(void* context, unsigned slot, size_t offset, const void* page);
  /// Until it is written the whole slot then reads 0xFF, or all of it 0x00; so do the slots of a new store.
  popsgd_status (*erase)(void* context, unsigned slot);
  /// On ok all that was written or erased before is durable.
  popsgd_status (*sync)(void* context);
  void* context;
} popsgd_store;

#ifdef __cplusplus
}
#endif
// NOLINTEND
