import FalconStorage

/// What a program that embeds the engine does, through public API alone: scripts/lib/test_embedding.sh
/// builds it without any third-party package and compares what it prints.
final class Listener: EngineEventListener {
    func engine(at path: String, did event: EngineEvent) {
        switch event {
        case .flushEnded(let flush): print("flushed, failed: \(flush.error != nil)")
        case .compactionEnded(let job): print("compacted \(job.inputTables), \(job.reason)")
        default: break
        }
    }
}

func text(_ bytes: [UInt8]?) -> String { bytes.map { String(decoding: $0, as: UTF8.self) } ?? "-" }

let path = CommandLine.arguments.dropFirst().first ?? "embedded-data"
var options = EngineOptions(profile: .lowMemory)
options.memoryBudget = try MemoryBudget(totalBytes: 64 << 20)
options.eventListener = Listener()
// Values this long leave the tables for blob files.
options.blobThresholdBytes = 500
let engine = try StorageEngine.open(at: path, options: options, environment: StorageEnvironment())
try engine.write { batch throws(StorageError) in
    try batch.put("a", "1")
    try batch.put("b", "2")
}
try engine.flush()
let report = engine.makeSnapshot(owner: "report")
let long = String(repeating: "long ", count: 200)
try engine.write(CommitOptions(durability: .synced)) { batch throws(StorageError) in
    try batch.put("b", "22")
    try batch.put("c", "3")
    try batch.put("d", long)
}
print("held by \(engine.safepointReport().holder)")
report.release()
var steps = 0
try engine.compact { progress in
    steps += 1
    return progress.doneBytes <= progress.totalBytes
}
print("progress: \(steps > 0)")
let since = engine.makeSnapshot(owner: "copy")
try engine.write { batch throws(StorageError) in try batch.put("e", "5") }
var recent = ReadOptions()
recent.newerThan = since.timestamp
recent.includesDeletions = true
let changes = try engine.makeIterator(.all, at: engine.publishedTimestamp, options: recent)
try changes.seekToFirst()
while changes.isValid {
    print("since:", String(decoding: changes.key, as: UTF8.self), changes.isDeletion)
    try changes.next()
}
print("ranges deleted since: \(changes.deletedRanges.count)")
since.release()
print("in memory:", try engine.multiGet([Array("e".utf8)], mayWait: false).count)
print("blob files: \(engine.statistics().blobs.fileCount)")
let values = try engine.multiGet(["a", "b", "x", "c"].map { Array($0.utf8) })
print("long value:", try engine.get("d") == Array(long.utf8))
print(values.map(text).joined(separator: " "))
print(
    "damaged tables:", engine.corruptionReport().entries.count,
    try engine.recheckQuarantined().count)

// A sorted file, made outside the engine and brought in whole.
try engine.flush()
let sorted = path + "-sorted.sst"
let writer = try SortedFileWriter(path: sorted, environment: StorageEnvironment())
for number in 100..<200 { try writer.put("row/\(number)", "\(number * number)") }
let file = try writer.finish()
try engine.ingest([sorted], IngestOptions(transfer: .move))
print("ingested \(file.entryCount), row/150 is \(text(try engine.get("row/150")))")
let rows = try engine.makeIterator(prefix: "row/19")
try rows.seekToLast()
print("last of row/19: \(text(rows.keyBytes))")
var digits = 0
try engine.forEach(in: KeyRange(prefix: "row/1")) { _, value throws(StorageError) in
    digits += value.count
    return true
}
print("digits of row/1: \(digits)")

// A payment that must not happen twice, however often it is asked for.
let payments = IdempotencyStore(engine)
for _ in 0..<2 {
    let answer = try payments.run("payment 7", request: "10 to b") { batch throws(StorageError) in
        try batch.put("paid/b", "10")
        return Array("receipt 7".utf8)
    }
    print("\(text(answer.result)), again: \(answer.isReplay)")
}
// A transaction that two parties decide together.
let outcomes = TransactionOutcomeStore(engine)
let transfer = UID(high: 1, low: 2)
try outcomes.prepare(transfer, participants: Array("a b".utf8))
try outcomes.decide(transfer, commits: true)
print("the transfer is \(try outcomes.outcome(of: transfer).map { "\($0.state)" } ?? "unknown")")
// What was committed, from the log.
let audit = TransactionAuditLog(engine)
try audit.advance()
let touched = try audit.entries(prefix: Array("paid/".utf8))
print("audit: \(touched.map { "\($0.operationCount) operations" })")
try engine.close()

options.isReadOnly = true
options.eventListener = nil
let reader = try StorageEngine.open(at: path, options: options, environment: StorageEnvironment())
print("read back:", text(try reader.get("c")), text(try reader.get("row/199")))
