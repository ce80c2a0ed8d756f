// SPDX-License-Identifier: Apache-2.0
#include "io/internal/fiber.h"

#include <cxxabi.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "io/threads.h"

#if defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define SLUICE_FIBERS_UNDER_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SLUICE_FIBERS_UNDER_ASAN
#elif defined(__SANITIZE_THREAD__)
#define SLUICE_FIBERS_UNDER_TSAN
#endif
#if defined(SLUICE_FIBERS_UNDER_ASAN)
#include <sanitizer/common_interface_defs.h>
#elif defined(SLUICE_FIBERS_UNDER_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

#if !defined(__x86_64__)
#error "fibers are written for x86-64, like everything that Sluice is built for"
#endif

// What swapcontext does, without the system calls for signal masks, and without what sanitizers say about it. A function keeps rbx, rbp, r12
// to r15 and the modes of floating point (System V ABI, 3.2.3); all else its caller does not count on.
extern "C" void sluice_switch_stack(void** save, void* to);
extern "C" void sluice_begin_fiber();
asm(R"(
.text
.globl sluice_switch_stack
.hidden sluice_switch_stack
.type sluice_switch_stack, @function
sluice_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sluice_switch_stack, .-sluice_switch_stack

.globl sluice_begin_fiber
.hidden sluice_begin_fiber
.type sluice_begin_fiber, @function
sluice_begin_fiber:
  .cfi_startproc
  .cfi_undefined rip
  movq %r15, %rdi
  call *%r14
  ud2
  .cfi_endproc
.size sluice_begin_fiber, .-sluice_begin_fiber
)");

namespace sluice::io {
namespace {

// As sluice_switch_stack leaves it on a stack, lowest address first.
struct Registers {
  uint32_t mxcsr;
  uint16_t x87_control, unused;
  uint64_t r15, r14, r13, r12, rbx, rbp;
  void (*returns_to)();
};
constexpr uint32_t kMxcsrDefault = 0x1f80;
constexpr uint16_t kX87ControlDefault = 0x37f;

// As a thread's: what is not touched takes no memory.
constexpr size_t kStackBytes = size_t{8} << 20;
constexpr size_t kGuardBytes = 4096;

thread_local const Fiber* running = nullptr;  // null: none, or the thread's own
thread_local char own_thread = 0;

}  // namespace

const void* ThisThread() { return running != nullptr ? static_cast<const void*>(running) : &own_thread; }

Fiber::Fiber() {
#if defined(SLUICE_FIBERS_UNDER_TSAN)
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)), stack_size_(kStackBytes) {
  void* memory =
      mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  CHECK(memory != MAP_FAILED, "no memory for a stack");
  stack_ = static_cast<char*>(memory);
  CHECK(mprotect(stack_, kGuardBytes, PROT_NONE) == 0, "no guard page");
  stack_bottom_ = stack_ + kGuardBytes;
  // Where it begins, the stack is aligned as before a call.
  auto* top = stack_ + kGuardBytes + kStackBytes - 64;
  auto* registers = reinterpret_cast<Registers*>(top - sizeof(Registers));
  *registers = {};
  registers->mxcsr = kMxcsrDefault;
  registers->x87_control = kX87ControlDefault;
  registers->r15 = reinterpret_cast<uint64_t>(this);
  registers->r14 = reinterpret_cast<uint64_t>(&Fiber::Begin);
  registers->returns_to = &sluice_begin_fiber;
  stack_pointer_ = registers;
#if defined(SLUICE_FIBERS_UNDER_TSAN)
  tsan_fiber_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
  if (stack_ == nullptr) return;
#if defined(SLUICE_FIBERS_UNDER_TSAN)
  __tsan_destroy_fiber(tsan_fiber_);
#endif
  munmap(stack_, kGuardBytes + kStackBytes);
}

void Fiber::Begin(Fiber* self) {
  self->Arrive();
  self->body_();
  CHECK(false, "a fiber's body returned");
}

void Fiber::SwitchTo(Fiber& to) {
  Leave(to, false);
  sluice_switch_stack(&stack_pointer_, to.stack_pointer_);
  Arrive();
}

void Fiber::EndBySwitchTo(Fiber& to) {
  Leave(to, true);
  sluice_switch_stack(&stack_pointer_, to.stack_pointer_);
  base::CheckFailed(__FILE__, __LINE__, "ended", "a fiber that has ended runs again");
}

void Fiber::Leave(Fiber& to, [[maybe_unused]] bool for_good) {
  std::memcpy(static_cast<void*>(&exceptions_), abi::__cxa_get_globals(), sizeof exceptions_);
  to.came_from_ = this;
#if defined(SLUICE_FIBERS_UNDER_ASAN)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, to.stack_bottom_, to.stack_size_);
#endif
#if defined(SLUICE_FIBERS_UNDER_TSAN)
  __tsan_switch_to_fiber(to.tsan_fiber_, 0);
#endif
}

void Fiber::Arrive() {
  running = stack_ != nullptr ? this : nullptr;
#if defined(SLUICE_FIBERS_UNDER_ASAN)
  // Where the thread's own stack is, only the one who comes from there is told.
  __sanitizer_finish_switch_fiber(fake_stack_, &came_from_->stack_bottom_, &came_from_->stack_size_);
#endif
  std::memcpy(static_cast<void*>(abi::__cxa_get_globals()), &exceptions_, sizeof exceptions_);
}

}  // namespace sluice::io
