import Testing

@testable import FalconStorage

/// A log of `count` synced records on a fresh file system that is then damaged by the test.
private func makeLog(
    records count: Int, recordBytes: Int = 100, segmentBytes: Int = 64 << 10, sealed: Bool = false,
    recycling: Bool = false
) throws -> (fileSystem: MemoryFileSystem, positions: [WALPosition]) {
    let memory = MemoryFileSystem()
    let fixture = WALFixture(memory, segmentBytes: segmentBytes, idleNanos: 3_600_000_000_000)
    let writer = try fixture.open()
    var positions: [WALPosition] = []
    for index in 0..<count {
        positions.append(try writer.append(.logicalMessage, WALFixture.body(index, recordBytes)))
        try writer.sync()
    }
    let clone = memory.crashClone(.dropUnsynced)
    try writer.close()
    return (sealed ? memory : clone, positions)
}

private func patch(
    _ fileSystem: any FileSystem, segment: UInt64 = 1, _ body: (inout [UInt8]) -> Void
) throws {
    let path = "wal/" + FileNames.walSegmentName(WALSegmentNumber(segment))
    var bytes = try fileSystem.contents(of: path)
    body(&bytes)
    let file = try fileSystem.open(path, .readWrite)
    try file.truncate(to: UInt64(bytes.count))
    try file.write(bytes, at: 0)
    try file.syncData()
}

@Suite struct WALDamageTests {
    /// Bytes of a chunk with one record of 100 bytes: 64 + 105, padded.
    static let chunkBytes = 64 + 112

    @Test func aTailTornAtAnyByteOfTheLastChunkIsBenign() throws {
        let (base, positions) = try makeLog(records: 5)
        let chunkStart = WALFormat.headerBytes + 4 * Self.chunkBytes
        for kept in 0..<(Self.chunkBytes - 7) {
            let fileSystem = base.crashClone(.keepUnsynced)
            try patch(fileSystem) { bytes in
                for index in (chunkStart + kept)..<bytes.count { bytes[index] = 0 }
            }
            let (records, reader) = try WALFixture.readAll(fileSystem)
            #expect(records.count == 4, "kept \(kept)")
            switch reader.verdict {
            case .tornTail(let end, _, let offset, let discarded):
                #expect(end == positions[3].end && offset == UInt64(chunkStart))
                #expect(
                    discarded > 0 && discarded <= UInt64(kept < 64 ? kept + 8 : Self.chunkBytes))
            case .clean(let end):
                #expect(kept == 0 && end == positions[3].end)
            case .corruption(let damage): Issue.record("kept \(kept): \(damage)")
            }
            // No later record takes a name that a lost one may have had.
            #expect(reader.continuation.firstLSN > positions[4].end)
        }
    }

    @Test func aTailTruncatedAtAnyByteIsBenign() throws {
        let (base, positions) = try makeLog(records: 3)
        let start = WALFormat.headerBytes + 2 * Self.chunkBytes
        for size in start..<(start + Self.chunkBytes) {
            let fileSystem = base.crashClone(.keepUnsynced)
            try patch(fileSystem) { $0.removeLast($0.count - size) }
            let (records, reader) = try WALFixture.readAll(fileSystem)
            #expect(records.count == 2)
            #expect(!reader.verdict.isCorruption && reader.verdict.end == positions[1].end)
        }
    }

    @Test func everyFlippedBitThatALaterChunkVouchesForIsCorruption() throws {
        let (base, positions) = try makeLog(records: 4)
        // The last chunk says that all before it was synced.
        let vouched = WALFormat.headerBytes + 3 * Self.chunkBytes
        for index in WALFormat.headerBytes..<vouched {
            for bit in [0, 3, 7] {
                let fileSystem = base.crashClone(.keepUnsynced)
                try patch(fileSystem) { $0[index] ^= 1 << UInt8(bit) }
                let (records, reader) = try WALFixture.readAll(fileSystem)
                let chunk = (index - WALFormat.headerBytes) / Self.chunkBytes
                #expect(records.count == chunk)
                guard case .corruption(let damage) = reader.verdict else {
                    Issue.record("byte \(index) bit \(bit): \(reader.verdict)")
                    continue
                }
                #expect(damage.kind == .badChunk)
                #expect(
                    damage.offset == UInt64(WALFormat.headerBytes + chunk * Self.chunkBytes))
                #expect(damage.goodUntil == (chunk == 0 ? LSN(8) : positions[chunk - 1].end))
            }
        }
    }

    @Test func theVouchedBytesAreExactlyThoseWhoseDamageIsCorruption() throws {
        for (sealed, count) in [(false, 3), (true, 3), (false, 600)] {
            let (base, _) = try makeLog(records: count, sealed: sealed)
            let summaries = try WALFixture.readAll(base).reader.summaries
            for summary in summaries {
                var offset = summary.vouchedBytes < 5000 ? 0 : summary.vouchedBytes - 300
                while offset < summary.usedBytes {
                    let damaged = base.crashClone(.keepUnsynced)
                    try patch(damaged, segment: summary.number.rawValue) {
                        $0[Int(offset)] ^= 2
                    }
                    let verdict = try WALFixture.readAll(damaged).reader.verdict
                    #expect(
                        verdict.isCorruption == (offset < summary.vouchedBytes),
                        "segment \(summary.number) byte \(offset): \(verdict)")
                    offset += 7
                }
            }
        }
    }

    @Test func everyFlippedBitOfAHeaderIsCorruption() throws {
        let (base, _) = try makeLog(records: 1)
        for index in 0..<WALFormat.headerBytes {
            let fileSystem = base.crashClone(.keepUnsynced)
            try patch(fileSystem) { $0[index] ^= 1 << UInt8(index % 8) }
            let (records, reader) = try WALFixture.readAll(fileSystem)
            #expect(records.isEmpty && reader.verdict.isCorruption, "byte \(index)")
        }
    }

    @Test func aSealedSegmentsLastChunkIsVouchedFor() throws {
        let (base, positions) = try makeLog(records: 3, sealed: true)
        let start = WALFormat.headerBytes + 2 * Self.chunkBytes
        try patch(base) { $0[start + 80] ^= 1 }
        let (_, reader) = try WALFixture.readAll(base)
        guard case .corruption(let damage) = reader.verdict else {
            Issue.record("\(reader.verdict)")
            return
        }
        #expect(damage.goodUntil == positions[1].end)
        #expect(damage.reason.contains("vouches"))
    }

    @Test func aSuccessorVouchesForItsWholePredecessor() throws {
        let (base, positions) = try makeLog(records: 1000)
        let first = try WALFixture.readAll(base).reader.summaries[0]
        let recordsInFirst = positions.filter { $0.end <= first.lastLSN }.count
        // Even the seal and the last chunk may be gone: the successor's header knows.
        for (what, kind) in [("cut", WALDamage.Kind.badChunk), ("zeroed", .zeroed)] {
            let fileSystem = base.crashClone(.keepUnsynced)
            let start = WALFormat.headerBytes + (recordsInFirst - 1) * Self.chunkBytes
            try patch(fileSystem) { bytes in
                if what == "cut" {
                    bytes.removeLast(bytes.count - start - 70)
                } else {
                    for index in start..<bytes.count { bytes[index] = 0 }
                }
            }
            let (records, reader) = try WALFixture.readAll(fileSystem)
            #expect(records.count == recordsInFirst - 1)
            guard case .corruption(let damage) = reader.verdict else {
                Issue.record("\(what): \(reader.verdict)")
                continue
            }
            #expect(damage.kind == kind)
        }
    }

    @Test func aMissingSegmentIsFound() throws {
        let (base, _) = try makeLog(records: 1500)
        let count = try WALFixture.readAll(base).reader.summaries.count
        #expect(count >= 3)
        try base.remove("wal/" + FileNames.walSegmentName(WALSegmentNumber(2)))
        let (_, reader) = try WALFixture.readAll(base)
        guard case .corruption(let damage) = reader.verdict else {
            Issue.record("\(reader.verdict)")
            return
        }
        #expect(damage.kind == .missingSegment)
    }

    @Test func aSegmentOfAnotherLogIsForeign() throws {
        let (base, _) = try makeLog(records: 1000)
        let other = MemoryFileSystem()
        let fixture = WALFixture(other, seed: 99)
        let writer = try fixture.open()
        for index in 0..<1000 {
            try writer.append(.logicalMessage, WALFixture.body(index))
            try writer.sync()
        }
        try writer.close()
        let strange = try other.contents(
            of: "wal/" + FileNames.walSegmentName(WALSegmentNumber(2)))
        try patch(base, segment: 2) { $0 = strange }
        let (_, reader) = try WALFixture.readAll(base)
        guard case .corruption(let damage) = reader.verdict else {
            Issue.record("\(reader.verdict)")
            return
        }
        #expect(damage.kind == .foreign)
    }

    @Test func aTolerantReaderGoesOnBehindTheDamage() throws {
        let (base, positions) = try makeLog(records: 1000)
        try patch(base) { $0[WALFormat.headerBytes + 10 * Self.chunkBytes + 70] ^= 4 }
        try patch(base, segment: 2) { $0[WALFormat.headerBytes + 5 * Self.chunkBytes + 3] ^= 4 }
        let (records, reader) = try WALFixture.readAll(base, mode: .tolerant)
        #expect(records.count == positions.count - 2)
        #expect(reader.damages.count == 2)
        #expect(reader.verdict.isCorruption)
    }

    @Test func anIdleLogVouchesForItself() throws {
        let memory = MemoryFileSystem()
        let fixture = WALFixture(memory, idleNanos: 1_000_000)
        let writer = try fixture.open()
        let position = try writer.append(.logicalMessage, WALFixture.body(1))
        try writer.sync()
        // The watermark comes by itself; reading until it is there bounds the wait.
        var reader = try WALFixture.readAll(memory).reader
        for _ in 0..<100_000 where reader.syncedLSN < position.end {
            reader = try WALFixture.readAll(memory).reader
        }
        #expect(reader.syncedLSN == position.end)
        let clone = memory.crashClone(.keepUnsynced)
        try patch(clone) { $0[WALFormat.headerBytes + 70] ^= 1 }
        #expect(try WALFixture.readAll(clone).reader.verdict.isCorruption)
        try writer.close()
    }
}
