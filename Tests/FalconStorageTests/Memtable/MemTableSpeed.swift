import CFalconPlatform
import Testing

@testable import FalconStorage

#if canImport(Glibc)
    import Glibc
#endif

/// Not a check but a stopwatch: runs when FALCON_SPEED is set, in release.
@Suite(.enabled(if: getenv("FALCON_SPEED") != nil), .serialized) struct MemTableSpeed {
    static func time(_ name: String, _ count: Int, _ body: () throws -> Void) rethrows {
        let start = falcon_monotonic_nanos()
        try body()
        let nanos = falcon_monotonic_nanos() - start
        print("\(name): \(Double(nanos) / Double(count)) ns per operation")
    }

    @Test(arguments: [450_000, 1_000_000, 2_000_000])
    func insertAndGet(count: Int) throws {
        let value = [UInt8](repeating: 9, count: 100)
        let keys = UnsafeMutableRawPointer.allocate(byteCount: 16 * count, alignment: 16)
        defer { keys.deallocate() }
        var random = SeededRandom(seed: 1)
        for i in 0..<(2 * count) {
            keys.storeBytes(of: random.next(), toByteOffset: 8 * i, as: UInt64.self)
        }
        let table = try MemTable(capacityBytes: 1 << 30, shards: ReaderShards())
        value.withUnsafeBytes { value in
            Self.time("insert random \(count)", count) {
                for i in 0..<count {
                    let key = UnsafeRawBufferPointer(start: keys + 16 * i, count: 16)
                    if !table.insert(key: key, timestamp: Timestamp(1), kind: .put, value: value) {
                        Issue.record("full")
                    }
                }
            }
        }
        var found = 0
        Self.time("get random \(count)", count) {
            for i in 0..<count {
                let place = (i &* 7919) % count
                let key = UnsafeRawBufferPointer(start: keys + 16 * place, count: 16)
                if case .value = table.get(key, at: Timestamp(5)) { found += 1 }
            }
        }
        #expect(found == count)
        let iterator = table.makeIterator()
        var sum = 0
        try Self.time("next \(count)", count) {
            try iterator.seekToFirst()
            while iterator.isValid {
                sum &+= iterator.userKey.count
                try iterator.next()
            }
        }
        #expect(sum == 16 * count)
        print("arena bytes per entry: \(Double(table.approximateBytes) / Double(count))")

        let ascending = try MemTable(capacityBytes: 1 << 30)
        value.withUnsafeBytes { value in
            Self.time("insert ascending \(count)", count) {
                for i in 0..<count {
                    var key = (UInt64(i).bigEndian, UInt64(0))
                    withUnsafeBytes(of: &key) {
                        _ = ascending.insert(
                            key: $0, timestamp: Timestamp(1), kind: .put, value: value)
                    }
                }
            }
        }
        print("arena bytes per entry: \(Double(ascending.approximateBytes) / Double(count))")
    }

    @Test func smallBatch() throws {
        let table = try MemTable(capacityBytes: 1 << 30, shards: ReaderShards())
        let value = [UInt8](repeating: 9, count: 100)
        let count = 1_000_000
        try value.withUnsafeBytes { value in
            try Self.time("one-put batch", count) {
                for i in 0..<count {
                    let batch = WriteBatch()
                    var key = (UInt64(i).bigEndian, UInt64(0))
                    try withUnsafeBytes(of: &key) { try batch.put(key: $0, value: value) }
                    if batch.isEmpty { Issue.record("empty") }
                }
            }
            try Self.time("one-put batch and apply", count) {
                for i in 0..<count {
                    let batch = WriteBatch()
                    var key = (UInt64(i).bigEndian, UInt64(0))
                    try withUnsafeBytes(of: &key) { try batch.put(key: $0, value: value) }
                    _ = table.apply(batch, at: Timestamp(1))
                }
            }
            try Self.time("100-put batch, per put", count) {
                for i in 0..<(count / 100) {
                    let batch = WriteBatch()
                    for j in 0..<100 {
                        var key = (UInt64(i ^ j), UInt64(j))
                        try withUnsafeBytes(of: &key) { try batch.put(key: $0, value: value) }
                    }
                }
            }
        }
    }
}
