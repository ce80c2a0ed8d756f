// SPDX-License-Identifier: Apache-2.0
#include "cli/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cwchar>

namespace sluice::cli {
namespace {

// What a Ctrl-D becomes that was typed while a statement ran: the terminal took it as the end of a line, and a line editor reads NUL.
constexpr char kControlD = 4;

class EditLineEditor final : public LineEditor {
 public:
  EditLineEditor(io::Termination& termination, Path history_file) : termination_(termination), history_file_(std::move(history_file)) {}
  ~EditLineEditor() override {
    if (editor_ != nullptr) el_end(editor_);
    if (history_ != nullptr) history_end(history_);
  }
  bool Open();
  Status Read(const std::string& prompt, std::string& line) override;
  void AddHistory(const std::string& entry) override;

 private:
  static EditLineEditor& Of(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return *static_cast<EditLineEditor*>(self);
  }
  static char* Prompt(EditLine* editor) { return Of(editor).prompt_.data(); }
  static int GetCharacter(EditLine* editor, wchar_t* to) { return Of(editor).ReadCharacter(to); }
  int ReadCharacter(wchar_t* to);

  io::Termination& termination_;
  const Path history_file_;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  HistEvent event_{};
  std::string prompt_;
  int signal_ = 0;
};

bool EditLineEditor::Open() {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  editor_ = el_init("sluice", stdin, stdout, stderr);
  history_ = history_init();
  if (editor_ == nullptr || history_ == nullptr) return false;
  history(history_, &event_, H_SETSIZE, kHistoryEntriesMax);
  history(history_, &event_, H_SETUNIQUE, 1);
  if (!history_file_.empty()) history(history_, &event_, H_LOAD, history_file_.c_str());
  el_set(editor_, EL_CLIENTDATA, this);
  el_set(editor_, EL_EDITOR, "emacs");
  el_set(editor_, EL_HIST, history, history_);
  el_set(editor_, EL_PROMPT, Prompt);
  el_set(editor_, EL_SIGNAL, 0);
  el_set(editor_, EL_GETCFN, GetCharacter);
  el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  return true;
}

// Waits for a key or a signal, whichever comes first: signals are blocked and would not interrupt a read.
int EditLineEditor::ReadCharacter(wchar_t* to) {
  std::mbstate_t state{};
  for (;;) {
    pollfd ready[2] = {{termination_.descriptor(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[0].revents != 0 && (signal_ = termination_.Take()) != 0) return -1;
    if (ready[1].revents == 0) continue;
    char byte = 0;
    const ssize_t got = read(STDIN_FILENO, &byte, 1);
    if (got <= 0) return 0;
    if (byte == 0) byte = kControlD;
    const size_t used = std::mbrtowc(to, &byte, 1, &state);
    if (used == static_cast<size_t>(-2)) continue;  // the first bytes of a longer character
    if (used == static_cast<size_t>(-1)) state = {};
    else return 1;
  }
}

LineEditor::Status EditLineEditor::Read(const std::string& prompt, std::string& line) {
  prompt_ = prompt;
  signal_ = 0;
  int length = 0;
  const char* text = el_gets(editor_, &length);
  if (signal_ == SIGINT) {
    el_reset(editor_);
    std::fputs("^C\n", stdout);
    return Status::kInterrupted;
  }
  if (signal_ != 0) return Status::kTerminated;
  if (text == nullptr || length <= 0) return Status::kEnd;
  line.assign(text, static_cast<size_t>(length));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  return Status::kLine;
}

void EditLineEditor::AddHistory(const std::string& entry) {
  history(history_, &event_, H_ENTER, entry.c_str());
  if (!history_file_.empty()) history(history_, &event_, H_SAVE, history_file_.c_str());
}

}  // namespace

Result<std::unique_ptr<LineEditor>> LineEditor::Make(io::Termination& termination, Path history_file) {
  auto editor = std::make_unique<EditLineEditor>(termination, std::move(history_file));
  if (!editor->Open()) return Error{ErrorCode::kIo, "the terminal cannot be used for editing", "use -c or -f"};
  return std::unique_ptr<LineEditor>(std::move(editor));
}

Path HistoryFile(io::FileSystem& files) {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  Path directory;
  if (state != nullptr && state[0] == '/') directory = state;
  else if (home != nullptr && home[0] == '/') directory = Path(home) + "/.local/state";
  else return {};
  directory += "/sluice";
  return files.CreateDirectories(directory).ok() ? directory + "/sql_history" : Path();
}

}  // namespace sluice::cli
