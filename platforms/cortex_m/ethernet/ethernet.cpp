#include "ethernet/ethernet.h"

#include <algorithm>
#include <array>

#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

namespace popsgd::cortex_m {
namespace {

// lwIP asks for these by name.
Clock* clock_of_lwip = nullptr;
Entropy* entropy_of_lwip = nullptr;

netif interface;
alignas(4) std::array<std::byte, Lan9118::kLongest + 6> buffer;

err_t send(netif* from, pbuf* packet) {
  auto& lan = *static_cast<Lan9118*>(from->state);
  if (packet->tot_len > buffer.size()) return ERR_BUF;
  pbuf_copy_partial(packet, buffer.data(), packet->tot_len, 0);
  return lan.send(std::span(buffer).first(packet->tot_len)) ? ERR_OK : ERR_MEM;
}

err_t set_up(netif* made) {
  const auto& mac = static_cast<Lan9118*>(made->state)->mac();
  made->name[0] = 'e';
  made->name[1] = 'n';
  made->mtu = 1500;
  made->hwaddr_len = static_cast<u8_t>(mac.size());
  std::copy(mac.begin(), mac.end(), made->hwaddr);
  made->flags =
      NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_LINK_UP;
  made->output = etharp_output;
  made->linkoutput = send;
  return ERR_OK;
}

// What cannot be kept is lost, as on a full cable.
void take(std::span<const std::byte> frame) {
  pbuf* const packet = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(frame.size()), PBUF_POOL);
  if (packet == nullptr) return;
  pbuf_take(packet, frame.data(), static_cast<u16_t>(frame.size()));
  if (interface.input(packet, &interface) != ERR_OK) pbuf_free(packet);
}

}  // namespace

Ethernet::Ethernet(Lan9118& lan, Clock& clock, Entropy& entropy) noexcept : lan_(lan), clock_(clock) {
  clock_of_lwip = &clock;
  entropy_of_lwip = &entropy;
}

bool Ethernet::start() noexcept {
  if (!lan_.start()) return false;
  lwip_init();
  netif_add_noaddr(&interface, &lan_, set_up, ethernet_input);
  netif_set_default(&interface);
  netif_set_up(&interface);
  return dhcp_start(&interface) == ERR_OK;
}

void Ethernet::turn() noexcept {
  due_ = false;
  while (true) {
    const auto frame = lan_.receive(buffer);
    if (frame.empty()) break;
    take(frame);
  }
  sys_check_timeouts();
}

bool Ethernet::due() noexcept {
  due_ = lan_.due() || due_;
  return due_;
}

Time Ethernet::deadline() noexcept {
  return clock_.now() + sys_timeouts_sleeptime();
}

bool Ethernet::up() const noexcept {
  return dhcp_supplied_address(&interface) != 0;
}

}  // namespace popsgd::cortex_m

extern "C" {

u32_t sys_now() {
  return popsgd::cortex_m::clock_of_lwip->now().milliseconds();
}

u32_t popsgd_lwip_random() {
  std::uint32_t number = 0;
  static_cast<void>(popsgd::cortex_m::entropy_of_lwip->fill(std::as_writable_bytes(std::span(&number, 1))));
  return number;
}

}  // extern "C"
