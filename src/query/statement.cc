// SPDX-License-Identifier: Apache-2.0
#include "query/statement.h"

#include <algorithm>
#include <string>
#include <utility>

namespace sluice::query {
namespace {

QueryErrorKind KindOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid: return QueryErrorKind::kInvalid;
    case ErrorCode::kNotFound: return QueryErrorKind::kUnknownName;
    case ErrorCode::kExhausted: return QueryErrorKind::kExhausted;
    case ErrorCode::kCancelled: return QueryErrorKind::kCancelled;
    case ErrorCode::kCorruption: return QueryErrorKind::kInternal;
    default: return QueryErrorKind::kUnavailable;
  }
}
// A file that is not as long as its manifest says is another one, or cut: a statement must not read it as if it were the right one.
Result<std::unique_ptr<io::ObjectReader>> OpenDataFile(io::ObjectStore& objects, const ViewFile& file) {
  ASSIGN_OR_RETURN(auto object, objects.Open(file.uri));
  if (object->descriptor() < 0) return Error{ErrorCode::kUnavailable, "a data file is not on a local disk"};
  if (object->size() != file.bytes)
    return Error{ErrorCode::kCorruption,
                 "it has " + std::to_string(object->size()) + " bytes, its manifest says " + std::to_string(file.bytes)};
  return object;
}

QueryError ToQueryError(const Error& error) { return {KindOf(error.code), error.message, std::nullopt, error.hint}; }

constexpr int64_t kNsPerMs = 1'000'000;

}  // namespace

uint64_t FileNumbers::NumberOf(const std::string& uri) {
  std::lock_guard lock(mutex_);
  if (numbers_.size() >= kNumbersMax) numbers_.clear();  // known files get new numbers: workers only lose cached metadata
  auto [at, fresh] = numbers_.emplace(uri, next_);
  if (fresh) next_++;
  return at->second;
}

StatementResult Statement::Run(uint64_t id, const SqlRequest& request, int64_t deadline_ns) {
  id_ = id;
  cpu_ns_max_ = worker_.CpuNs() + kForegroundCpuMs * kNsPerMs;
  rows_.emplace(
      [this](const ArrowSchema& schema) {
        has_begun_ = true;
        return sink_.OnSchema(schema);
      },
      [this](Columns batch) {
        rows_sent_ += batch.rows();
        return sink_.OnBatch(std::move(batch));
      });
  StatementResult result;
  bool sent = worker_.socket().Send(MessageType::kQuery, id_, Encode(QueryMessage{request.sql, request.parameters})).ok();
  Step step = sent ? Step::kContinue : Step::kBroken;
  for (Frame frame; step == Step::kContinue;) {
    auto wait_ns = WaitNs(deadline_ns);
    if (!wait_ns) {
      step = Step::kBroken;
      break;
    }
    int wake = cancel_.cancelled() ? -1 : cancel_.signal().descriptor();
    switch (worker_.socket().Receive(frame, *wait_ns / 1'000 + 1, wake)) {
      case ReceiveStatus::kFrame: step = Handle(std::move(frame), result); break;
      case ReceiveStatus::kNothing: break;
      case ReceiveStatus::kClosed: step = Step::kBroken; break;
    }
  }
  if (step == Step::kBroken) {
    worker_.Kill();
    result.worker_usable = false;
    result.error = WhyStopped();
  }
  if (result.error && !stopped_ && !has_begun_) result.awaits = awaits_;
  result.stats.rows = rows_sent_;
  result.stats.tables = Freshness();
  return result;
}

void Statement::LookAtCpu(int64_t now_ns) {
  if (now_ns < cpu_look_at_ns_ || worker_.in_background()) return;
  const int64_t left_ns = cpu_ns_max_ - worker_.CpuNs();
  if (left_ns <= 0) worker_.RunInBackground();
  cpu_look_at_ns_ = now_ns + std::max(left_ns / 2, kForegroundLookMs * kNsPerMs);
}

std::optional<int64_t> Statement::WaitNs(int64_t deadline_ns) {
  int64_t now = env_.clock.MonotonicNs();
  LookAtCpu(now);
  if (!stopped_) {
    if (cancel_.cancelled()) stopped_ = QueryError{QueryErrorKind::kCancelled, "the statement was cancelled", std::nullopt, ""};
    else if (now >= deadline_ns)
      stopped_ = QueryError{QueryErrorKind::kTimeout, "the statement ran into its timeout", std::nullopt,
                            "raise it (\"timeout_ms\", --timeout), or read less: filters on time and type prune files"};
    else return (worker_.in_background() ? deadline_ns : std::min(deadline_ns, cpu_look_at_ns_)) - now;
  }
  if (kill_at_ns_ == 0) {
    kill_at_ns_ = now + kKillAfterMs * kNsPerMs;
    if (!worker_.socket().Send(MessageType::kCancel, id_, "").ok()) return std::nullopt;
  }
  if (now >= kill_at_ns_) {
    killed_ = true;
    return std::nullopt;
  }
  return kill_at_ns_ - now;
}

QueryError Statement::WhyStopped() const {
  if (stopped_) return *stopped_;
  return {QueryErrorKind::kWorkerDied, "the statement ended its worker process, most likely for want of memory", std::nullopt,
          "read less at once, or raise the memory of workers"};
}

Statement::Step Statement::Handle(Frame frame, StatementResult& result) {
  if (frame.header.statement != id_ || frame.descriptor.get() >= 0) return Step::kBroken;
  switch (frame.header.type) {
    case MessageType::kList: return Answer(MessageType::kTables, Encode(view_.ListTables()));
    case MessageType::kBind: return AnswerBind(frame.payload);
    case MessageType::kScan: return AnswerScan(frame.payload, result.stats);
    case MessageType::kOpen: return AnswerOpen(frame.payload);
    case MessageType::kResult: return TakeResult(std::move(frame.payload));
    case MessageType::kDone: return TakeDone(frame.payload, result);
    default: return Step::kBroken;
  }
}

Statement::Step Statement::Answer(MessageType type, std::string_view payload, int descriptor) {
  return worker_.socket().Send(type, id_, payload, descriptor).ok() ? Step::kContinue : Step::kBroken;
}

Result<BoundMessage> Statement::Bind(const BindMessage& question) {
  auto [name, part] = SplitTableName(question.name);
  auto found = view_.FindTable(question.schema, name);
  if (!found.ok() && found.error().code == ErrorCode::kNotFound) return BoundMessage{};
  if (!found.ok() && view_.IsLoading(question.schema, name)) awaits_ = TableName{question.schema, name};
  if (!found.ok()) return found.error();
  BoundView bound{*found, part, nullptr};
  if (question.version) {
    if (part != TablePart::kAll && part != TablePart::kLake)
      return Error{ErrorCode::kInvalid, "AT reads the table's snapshots; \"" + question.name + "\" has none of its own",
                   "use AT with \"" + name + "\""};
    ASSIGN_OR_RETURN(bound.older, bound.table->At(*question.version));
    bound.table = bound.older.get();
    bound.part = TablePart::kLake;
  }
  BoundMessage out;
  out.status = BoundStatus::kFound;
  out.table.handle = static_cast<uint32_t>(bound_.size());
  out.table.part = bound.part;
  if (bound.part == TablePart::kSnapshots || bound.part == TablePart::kFiles) {
    ASSIGN_OR_RETURN(auto rows, bound.table->MetadataRows(bound.part));
    ASSIGN_OR_RETURN(out.table.metadata_stream, ToArrowStream(std::move(rows)));
    if (out.table.metadata_stream.size() > kMetadataBytesMax)
      return Error{ErrorCode::kExhausted, "\"" + question.name + "\" has too many rows to be read as one", ""};
  } else {
    auto& info = bound.table->info();
    out.table.columns = info.columns;
    for (auto& alias : info.aliases)  // a real column of that name goes first
      if (std::none_of(info.columns.begin(), info.columns.end(), [&](auto& column) { return column.name == alias.name; }))
        out.table.aliases.push_back(alias);
    if (bound.part == TablePart::kHot) out.table.rows = info.hot_rows;
    else if (info.lake_rows) out.table.rows = *info.lake_rows + (bound.part == TablePart::kAll ? info.hot_rows : 0);
  }
  bound_.push_back(std::move(bound));
  return out;
}

Statement::Step Statement::AnswerBind(std::string_view payload) {
  auto question = DecodeBind(payload);
  if (!question.ok()) return Step::kBroken;
  auto answer = Bind(*question);
  if (answer.ok()) return Answer(MessageType::kBound, Encode(*answer));
  BoundMessage failed;
  failed.status = BoundStatus::kFailed;
  failed.error = ToQueryError(answer.error());
  return Answer(MessageType::kBound, Encode(failed));
}

std::vector<ScannedFile> Statement::Describe(const TableScan& scan, StatementStats& stats) {
  stats.files_pruned += scan.files_pruned;
  stats.bytes_pruned += scan.bytes_pruned;
  stats.chunks_pruned += scan.chunks_pruned;
  std::vector<ScannedFile> out;
  for (auto& chunk : scan.chunks) {  // hot first: the newest rows are asked for most
    if (chunk.begin >= chunk.end) continue;
    ScannedFile file;
    file.id = chunk.id;
    file.hot = true;
    file.bytes = chunk.bytes;
    file.rows = chunk.end - chunk.begin;
    file.begin = chunk.begin;
    file.end = chunk.end;
    stats.chunks_read++;
    stats.rows_hot += file.rows;
    openable_.insert_or_assign(file.id, chunk);
    out.push_back(std::move(file));
  }
  for (auto& cold : scan.files) {
    ScannedFile file;
    file.id = numbers_.NumberOf(cold.uri);
    file.bytes = cold.bytes;
    file.rows = cold.rows;
    file.footer_bytes = cold.footer_bytes;
    if (cold.deleted_rows) file.deleted_rows = *cold.deleted_rows;
    stats.files_read++;
    stats.bytes_read += cold.bytes;
    stats.rows_lake += cold.rows - static_cast<int64_t>(file.deleted_rows.size());
    openable_.insert_or_assign(file.id, cold);
    out.push_back(std::move(file));
  }
  return out;
}

Statement::Step Statement::AnswerScan(std::string_view payload, StatementStats& stats) {
  auto question = DecodeScan(payload);
  if (!question.ok() || question->handle >= bound_.size()) return Step::kBroken;
  auto& bound = bound_[question->handle];
  if (bound.part == TablePart::kSnapshots || bound.part == TablePart::kFiles) return Step::kBroken;
  auto scan = bound.table->Scan(bound.part, question->filters);
  if (scan.ok() && std::any_of(scan->files.begin(), scan->files.end(),
                               [](auto& f) { return f.deleted_rows && f.deleted_rows->size() > kDeletedRowsMax; }))
    scan =
        Error{ErrorCode::kExhausted, "a data file has more than " + std::to_string(kDeletedRowsMax) + " deleted rows", "compact the table"};
  ScannedMessage answer;
  if (!scan.ok()) {
    answer.error = ToQueryError(scan.error());
    // A file that the table names and that is gone is no name that the statement got wrong.
    if (scan.error().code == ErrorCode::kNotFound) answer.error->kind = QueryErrorKind::kUnavailable;
    return Answer(MessageType::kScanned, Encode(answer));
  }
  auto files = Describe(*scan, stats);
  for (size_t at = 0;;) {
    answer.files.clear();
    for (size_t deletes = 0; at < files.size() && answer.files.size() < kScannedFrameFiles && deletes < kScannedFrameDeletes; at++) {
      deletes += files[at].deleted_rows.size();
      answer.files.push_back(std::move(files[at]));
    }
    answer.more = at < files.size();
    if (Answer(MessageType::kScanned, Encode(answer)) == Step::kBroken) return Step::kBroken;
    if (!answer.more) return Step::kContinue;
  }
}

Statement::Step Statement::AnswerOpenChunk(const ViewChunk& chunk) {
  if (chunk.check) {
    if (auto sound = chunk.check(); !sound.ok()) {
      env_.log.Warn("hot rows could not be read for a statement", {{"reason", sound.error().message}});
      return Answer(MessageType::kOpened, Encode(std::optional(ToQueryError(sound.error()))));
    }
  }
  return Answer(MessageType::kOpened, Encode(std::optional<QueryError>()), chunk.descriptor);
}

Statement::Step Statement::AnswerOpen(std::string_view payload) {
  auto number = DecodeNumber(payload);
  if (!number.ok()) return Step::kBroken;
  auto found = openable_.find(*number);
  if (found == openable_.end()) return Step::kBroken;  // only what a scan named
  auto none = Encode(std::optional<QueryError>());
  if (auto* chunk = std::get_if<ViewChunk>(&found->second)) return AnswerOpenChunk(*chunk);
  const auto& file = std::get<ViewFile>(found->second);
  auto object = OpenDataFile(env_.objects, file);
  if (object.ok()) return Answer(MessageType::kOpened, none, (*object)->descriptor());
  env_.log.Warn("a data file could not be opened for a statement", {{"uri", file.uri}, {"reason", object.error().message}});
  return Answer(MessageType::kOpened, Encode(std::optional(QueryError{QueryErrorKind::kUnavailable, "a data file could not be opened",
                                                                      std::nullopt, "try again; the server's log names the file"})));
}

Statement::Step Statement::TakeResult(std::string payload) {
  auto bytes = payload.size();
  if (stopped_) return Step::kContinue;  // nobody wants it any more
  if (auto pushed = rows_->Push(std::move(payload)); !pushed.ok()) {
    if (pushed.error().code == ErrorCode::kCorruption) return Step::kBroken;
    stopped_ = QueryError{QueryErrorKind::kCancelled, pushed.error().message, std::nullopt, pushed.error().hint};
    return Step::kContinue;
  }
  return Answer(MessageType::kCredit, EncodeNumber(bytes));
}

Statement::Step Statement::TakeDone(std::string_view payload, StatementResult& result) {
  auto done = DecodeDone(payload);
  if (!done.ok()) return Step::kBroken;
  worker_.mapped_bytes = done->mapped_bytes;
  result.worker_usable = !done->discard && !stopped_;
  result.error = stopped_ ? stopped_ : std::move(done->error);
  if (!stopped_ && result.error && done->damaged_file) result.error = DamagedFile(*done->damaged_file, result.error->message);
  return Step::kDone;
}

QueryError Statement::DamagedFile(uint64_t number, const std::string& what) const {
  auto found = openable_.find(number);
  auto* file = found == openable_.end() ? nullptr : std::get_if<ViewFile>(&found->second);
  const std::string uri = file != nullptr ? file->uri : "a file of no table";
  env_.log.Error("a data file is damaged", {{"uri", uri}, {"reason", what}});
  return {QueryErrorKind::kInternal, "data file \"" + uri + "\" is damaged: " + what, std::nullopt,
          "restore it from a backup; \"sluice check\" looks at all files"};
}

std::vector<TableStats> Statement::Freshness() const {
  std::vector<TableStats> out;
  for (auto& bound : bound_) {
    auto& info = bound.table->info();
    bool known = std::any_of(out.begin(), out.end(), [&](auto& t) { return t.schema == info.schema && t.name == info.name; });
    if (!known) out.push_back({info.schema, info.name, bound.table->freshness()});
  }
  return out;
}

}  // namespace sluice::query
