import Glibc
import Testing

@testable import FalconStorage

/// Measurements, not checks; run in release with FALCON_BENCH=1.
@Suite(.serialized, .enabled(if: getenv("FALCON_BENCH") != nil))
struct WALSpeedTests {
    private func makeWriter(_ path: String) throws -> WALWriter {
        let identity = WALIdentity(
            cluster: .zero, shard: .zero, branch: .zero, incarnation: 1)
        return try WALWriter.open(
            directory: path, identity: identity, continuation: .beginning, options: WALOptions(),
            environment: StorageEnvironment(), callbacks: WALCallbacks())
    }
    private func temporary() -> String {
        var template = Array("/tmp/falcon-wal-XXXXXX".utf8CString)
        return template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp"
        }
    }
    private func seconds() -> Double { Double(SystemClock().monotonicNanos()) / 1e9 }

    @Test func appendAndRead() throws {
        let root = temporary()
        let path = root + "/wal"
        let writer = try makeWriter(path)
        let body = WALFixture.body(1, 145)
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        let count = 4_000_000
        for round in 0..<2 {
            let start = seconds()
            for _ in 0..<count {
                _ = try body.withUnsafeBytes { bytes throws(StorageError) in
                    try writer.append(.logicalMessage, empty, bytes)
                }
            }
            let appended = seconds()
            try writer.sync()
            let synced = seconds()
            print(
                "round \(round): append \((appended - start) / Double(count) * 1e9) ns, "
                    + "to sync \(synced - appended) s, "
                    + "\(Double(count) * 150 / (synced - start) / 1e6) MB/s")
        }
        try writer.close()
        let start = seconds()
        let reader = try WALReader(directory: path, fileSystem: PosixFileSystem())
        var read = 0
        while try reader.next() != nil { read += 1 }
        let took = seconds() - start
        print("read \(read) records, \(Double(read) * 150 / took / 1e6) MB/s")
        _ = system("rm -rf \(root)")
    }

    @Test func latencies() throws {
        let root = temporary()
        let writer = try makeWriter(root + "/wal")
        let body = WALFixture.body(1, 145)
        for mode in ["inline sync", "flusher sync", "inline write"] {
            var samples: [Double] = []
            for _ in 0..<3000 {
                let start = seconds()
                let position = try writer.append(.logicalMessage, body)
                switch mode {
                case "inline sync": try writer.sync()
                case "inline write": writer.writePending()
                default:
                    writer.requestSync(upTo: position.end)
                    while writer.syncedLSN < position.end { sched_yield() }
                }
                samples.append((seconds() - start) * 1e6)
            }
            samples.sort()
            print("\(mode): p50 \(samples[1500]) µs, p99 \(samples[2970]) µs")
        }
        try writer.close()
        _ = system("rm -rf \(root)")
    }
}
