// SPDX-License-Identifier: Apache-2.0
#include "ingest/decode_thread.h"

#include <deque>
#include <mutex>
#include <vector>

namespace sluice::ingest {
namespace {

struct Job {
  const IngestRequest* request = nullptr;
  DecodeThread::Done done;
};

}  // namespace

struct DecodeThread::Shared {
  explicit Shared(io::Threads& threads) : wake(threads.NewSignal()) {}

  std::mutex mutex;
  bool closing = false;
  bool idle = false;  // the thread waits for `wake`
  std::deque<Job> jobs;
  std::vector<std::unique_ptr<RequestDecoder>> free;  // the one used last is taken first: its memory is warm
  size_t decoders = 0;                                // made so far
  const std::unique_ptr<io::Signal> wake;

  // REQUIRES: `mutex` is held.
  void WakeIfIdle() {
    if (!std::exchange(idle, false)) return;
    wake->Notify();
  }

  // Null when there is no work, or none of kDecodersMax is free for it. REQUIRES: `mutex` is held.
  std::unique_ptr<RequestDecoder> NextDecoder(const event::DecodeLimits& limits) {
    if (jobs.empty()) return nullptr;
    if (!free.empty()) {
      auto decoder = std::move(free.back());
      free.pop_back();
      return decoder;
    }
    if (decoders == kDecodersMax) return nullptr;
    decoders++;
    return std::make_unique<RequestDecoder>(limits);
  }
};

DecodeThread::Decoded::~Decoded() {
  if (decoder_ == nullptr) return;  // moved from
  decoder_->Trim();
  std::lock_guard lock(thread_->mutex);
  thread_->free.push_back(std::move(decoder_));
  if (!thread_->jobs.empty()) thread_->WakeIfIdle();
}

DecodeThread::DecodeThread(io::Env env, const std::string& name, const event::DecodeLimits& limits, Prepare prepare)
    : limits_(limits), prepare_(std::move(prepare)), shared_(std::make_shared<Shared>(env.threads)), thread_(env.threads.Start(name, io::ThreadPriority::kNormal, [this] { Work(); })) {}

DecodeThread::~DecodeThread() {
  std::deque<Job> dropped;
  {
    std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
    dropped.swap(shared_->jobs);
  }
  shared_->wake->Notify();
  thread_->Join();
}

void DecodeThread::Decode(const IngestRequest& request, Done done) {
  std::lock_guard lock(shared_->mutex);
  shared_->jobs.push_back({&request, std::move(done)});
  shared_->WakeIfIdle();
}

bool DecodeThread::busy() const {
  std::lock_guard lock(shared_->mutex);
  return !shared_->jobs.empty() || shared_->free.size() < shared_->decoders;
}

void DecodeThread::Work() {
  for (;;) {
    Job job;
    std::unique_ptr<RequestDecoder> decoder;
    {
      std::lock_guard lock(shared_->mutex);
      if (shared_->closing) return;
      decoder = shared_->NextDecoder(limits_);
      shared_->idle = decoder == nullptr;
      if (decoder != nullptr) {
        job = std::move(shared_->jobs.front());
        shared_->jobs.pop_front();
      }
    }
    if (decoder == nullptr) {
      shared_->wake->Wait();
      continue;
    }
    auto outcome = decoder->Decode(*job.request);
    if (outcome.ok()) prepare_(*job.request, *decoder);
    job.done(Decoded(shared_, std::move(decoder), std::move(outcome)));
  }
}

}  // namespace sluice::ingest
