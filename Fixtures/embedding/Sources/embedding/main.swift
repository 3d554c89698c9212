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

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func write(_ engine: StorageEngine, _ pairs: [(String, String)]) throws {
    let batch = WriteBatch()
    for (key, value) in pairs {
        try bytes(key).withUnsafeBytes { key in
            try bytes(value).withUnsafeBytes { value in try batch.put(key: key, value: value) }
        }
    }
    _ = try engine.commitAndWait(batch, CommitOptions(durability: .synced))
}

let path = CommandLine.arguments.dropFirst().first ?? "embedded-data"
var options = EngineOptions()
options.memoryBudget = try MemoryBudget(totalBytes: 64 << 20)
options.eventListener = Listener()
// Values this long leave the tables for blob files.
options.blobThresholdBytes = 500
let engine = try StorageEngine.open(at: path, options: options, environment: StorageEnvironment())
try write(engine, [("a", "1"), ("b", "2")])
try engine.flush()
let report = engine.makeSnapshot(owner: "report")
let long = String(repeating: "long ", count: 200)
try write(engine, [("b", "22"), ("c", "3"), ("d", long)])
print("held by \(engine.safepointReport().holder)")
report.release()
var steps = 0
try engine.compact { progress in
    steps += 1
    return progress.doneBytes <= progress.totalBytes
}
print("progress: \(steps > 0)")
let since = engine.makeSnapshot(owner: "copy")
try write(engine, [("e", "5")])
var recent = ReadOptions()
recent.newerThan = since.timestamp
recent.includesDeletions = true
let changes = try engine.makeIterator(.all, at: engine.publishedTimestamp, options: recent)
try changes.seekToFirst()
while changes.isValid {
    print("since:", String(decoding: changes.key, as: UTF8.self), changes.isDeletion)
    try changes.next()
}
since.release()
print("in memory:", try engine.multiGet([bytes("e")], mayWait: false).count)
print("blob files: \(engine.statistics().blobs.fileCount)")
let values = try engine.multiGet([bytes("a"), bytes("b"), bytes("x"), bytes("c")])
print("long value:", try engine.multiGet([bytes("d")]).first.flatMap { $0 } == bytes(long))
print(values.map { $0.map { String(decoding: $0, as: UTF8.self) } ?? "-" }.joined(separator: " "))
print(
    "damaged tables:", engine.corruptionReport().entries.count,
    try engine.recheckQuarantined().count)
try engine.close()

options.isReadOnly = true
options.eventListener = nil
let reader = try StorageEngine.open(at: path, options: options, environment: StorageEnvironment())
print("read back:", try reader.multiGet([bytes("c")]).first.flatMap { $0 } == bytes("3"))
