#include "endpoint.h"

#include <popsgd/asio/address_text.h>

#include <cerrno>

namespace popsgd::net {
namespace {

std::string remedy(const Address& at, const std::error_code& error) {
  switch (error.value()) {
    case EADDRINUSE:
      return "another program is there already; stop it, or choose another port, 0 for any that is free";
    case EACCES:
    case EPERM:
      return at.port != 0 && at.port < 1024 ? "ports below 1024 are the administrator's; choose a higher one"
                                            : "the system does not permit it";
    case EADDRNOTAVAIL:
      return "this machine has no such address; choose one that `ip address` shows, or the port alone for "
             "all";
    case ENODEV:
    case EINVAL:
      return "there is no such interface; a link-local address needs one, as in [fe80::1%eth0]:7777";
    case EAFNOSUPPORT:
      return "this machine has no IPv6; choose an IPv4 address";
    default:
      return error.message();
  }
}

std::string cause(const std::error_code& error) {
  switch (error.value()) {
    case ECONNREFUSED:
      return "nobody listens there";
    case ETIMEDOUT:
      return "no answer in time; is it on, and does every firewall let the port through?";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "there is no way to this network";
    case EINVAL:
      return "a link-local address needs its interface, as in [fe80::1%eth0]:7777";
    default:
      return error.message();
  }
}

}  // namespace

std::string cannot_listen(const Address& at, const char* protocol, const std::error_code& error) {
  return std::string("cannot listen at ") + to_text(at) + " (" + protocol + "): " + remedy(at, error);
}

std::string cannot_reach(const Address& remote, const std::error_code& error) {
  return "cannot reach " + to_text(remote) + ": " + cause(error);
}

}  // namespace popsgd::net
