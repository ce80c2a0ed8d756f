// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A sender's HTTP: the same requests as bytes on a connection that may be slow, break, or fall silent, with the habits of clients: whole
// and in chunks, trickled, two at a time, asking before they send, on old connections and new ones; and some go away in the middle.

#include <memory>
#include <string>
#include <vector>

#include "front/http/network_client.h"
#include "io/env.h"
#include "sim/dice.h"
#include "sim/network.h"
#include "sim/run_state.h"

namespace sluice::sim {

// Where the server of `run` listens.
io::SocketAddress AddressOf(const RunState& run);

class HttpClient {
 public:
  HttpClient(RunState& run, io::Env env, int number);

  // Sends the request and waits for its answer, which is told in `call` as a server at the depth of requests would have (sim/network.h).
  // False: none came. A request may be sent twice on one connection: the answer to the second one goes to `twins`.
  bool Ask(Call& call, int64_t patience_us, std::vector<Call>& twins);
  // Sends all of it, and goes away without the answer.
  void SendAndLeave(const Request& request);
  // Sends some of it, and goes away: no event of it may ever be seen, and no answer says that it was taken.
  void SendPart(const Request& request);
  // Says that it sends more than may be sent, with an event in front: the same.
  void SendTooMuch();

 private:
  struct Bytes {
    std::string head, body;
    std::vector<size_t> chunk_ends;  // in body
    bool closes = false;
    bool is_old = false;  // HTTP/1.0
  };
  Bytes Encode(const Request& request);
  bool Connect();
  bool Send(std::string_view bytes, int64_t until_ns);
  bool SendPolitely(const Bytes& bytes, int64_t until_ns, front::http::Reply& early);
  bool Take(const Bytes& bytes, const front::http::Reply& reply, Call& call);
  void GoAway();
  void AwaitNoSuccess(const std::string& what);
  int64_t Until(int64_t us) const { return env_.clock.MonotonicNs() + us * 1'000; }
  std::string who() const { return "sender " + std::to_string(number_); }

  RunState& run_;
  io::Env env_;
  const int number_;
  Dice dice_;
  std::unique_ptr<front::http::NetworkClient> connection_;
};

// Many connections that say nothing: more than the server takes.
void Crowd(RunState& run, io::Env env);
// The server is stopped in good order, and started again, now and then.
void StopServers(RunState& run, io::Env env);

}  // namespace sluice::sim
