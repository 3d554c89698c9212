import Glibc
import Testing

@testable import FalconStorage

/// Known ways to lose data through the log, each with its number in docs/design/corruption-classes.md.
@Suite struct CorruptionClassLogTests {
    private func patch(
        _ fileSystem: MemoryFileSystem, _ path: String, _ body: (inout [UInt8]) -> Void
    ) throws {
        var bytes = try fileSystem.contents(of: path)
        body(&bytes)
        try fileSystem.open(path, .readWrite).write(bytes, at: 0)
    }

    /// Where the chunks of a segment begin.
    private func chunks(_ bytes: [UInt8]) -> [(offset: Int, bytes: Int)] {
        var found: [(Int, Int)] = []
        var offset = WALFormat.headerBytes
        bytes.withUnsafeBytes { buffer in
            while offset + WALFormat.chunkHeaderBytes <= buffer.count,
                let base = buffer.baseAddress, let chunk = WALChunkHeader.decode(base + offset)
            {
                found.append((offset, chunk.totalBytes))
                offset += chunk.totalBytes
            }
        }
        return found
    }

    @Test func class03_aLogThatEndsBeforeTheTablesIsRefused() throws {
        let fixture = try ClassEngine { $0.walRetainBytes = .max }
        try fixture.fill(0..<50)
        try fixture.engine.flush()
        let survivor = fixture.memory.crashClone(.keepUnsynced)
        for path in try fixture.files("wal", ".wal") { try survivor.remove(path) }
        let error = try failure { _ = try fixture.rows(on: survivor) }
        #expect(error?.code == .corruption)
        // And recovery never makes such a log: what it has read and not flushed stays in the log.
        try fixture.fill(50..<80, durability: .synced)
        let (restarted, options) = (fixture.memory.crashClone(.dropUnsynced), fixture.options)
        for _ in 0..<3 { try ClassEngine.open(restarted, options).close() }
        #expect(try fixture.rows(on: restarted.crashClone(.dropUnsynced)).count == 80)
    }

    @Test func class04_aSegmentIsSyncedBeforeItsSuccessorVouchesForIt() throws {
        let fixture = try ClassEngine { $0.memtableBytes = 4 << 20 }
        fixture.tracing.clear()
        // Nobody asks for syncs within a part: a rotation there has to. Between the parts somebody does, for
        // what waits under load is written as one batch, and a batch rotates once.
        for part in 0..<4 {
            try fixture.fill(part * 100..<(part + 1) * 100, bytes: 500)
            try fixture.engine.writable().wal.sync()
            try fixture.awaitSpare()
        }
        let renames = fixture.positions(.rename, ".spare").filter {
            fixture.tracing.events[$0].detail.hasSuffix(".wal")
        }
        #expect(renames.count >= 2)
        var old = try fixture.files("wal", ".wal").first ?? ""
        for rename in renames {
            // The last write is the seal's, which carries no record: the new header vouches as it does.
            var writes = fixture.positions(.write, old).filter { $0 < rename }
            let last = writes.popLast()
            let seal = try #require(last)
            #expect(fixture.tracing.events[seal].detail.hasSuffix("+64"))
            let syncs = fixture.positions(.sync, old).filter { $0 < rename }
            #expect((syncs.last ?? 0) > (writes.last ?? 0), "\(old) was left unsynced")
            let new = String(fixture.tracing.events[rename].detail.dropFirst(3))
            // It and the new name are durable before anything behind them is said to be.
            let synced = try #require(fixture.positions(.sync, new).first)
            let settled = fixture.positions(.sync, old).contains { rename < $0 && $0 < synced }
            #expect(settled, "the seal of \(old) was left unsynced")
            old = new
        }
        let survivor = fixture.memory.crashClone(.dropUnsynced)
        #expect(try fixture.rows(on: survivor).count == 400)
    }

    @Test func class05_damageInMidLogIsNotTheEnd() throws {
        let fixture = try ClassEngine { $0.memtableBytes = 4 << 20 }
        try fixture.fill(0..<20, durability: .synced)
        let survivor = fixture.memory.crashClone(.keepUnsynced)
        let path = try #require(try fixture.files("wal", ".wal").last)
        let found = chunks(try survivor.contents(of: path))
        #expect(found.count > 10)
        for chunk in found[2..<8] {
            for damage in [
                { (bytes: inout [UInt8]) in bytes[chunk.offset + 70] ^= 1 },
                { bytes in
                    bytes.replaceSubrange(
                        chunk.offset..<(chunk.offset + chunk.bytes),
                        with: [UInt8](repeating: 0, count: chunk.bytes))
                },
            ] {
                let copy = survivor.fork()
                try patch(copy, path, damage)
                let error = try failure { _ = try fixture.rows(on: copy) }
                #expect(error?.code == .corruption && error?.location?.path == path)
                #expect(error?.location?.offset == UInt64(chunk.offset))
            }
        }
    }

    @Test func class06_aReadErrorInRecoveryIsNoDamageAndCutsNothing() throws {
        let fixture = try ClassEngine { $0.memtableBytes = 4 << 20 }
        try fixture.fill(0..<200, bytes: 500, durability: .synced)
        let killed = fixture.memory.crashClone(.keepUnsynced)
        var index = 0
        while true {
            let disk = killed.fork()
            let faulty = FaultInjectingFileSystem(
                disk, rule: FaultRule(.reading, pathContains: "/wal/", index: index, errno: EIO))
            let error = try failure { try ClassEngine.open(faulty, fixture.options).close() }
            if faulty.injectedCount == 0 { break }
            #expect(error?.code == .io && error?.errno == EIO, "read \(index): \(error as Any)")
            #expect(try fixture.rows(on: disk).count == 200, "read \(index)")
            index += 1
        }
        #expect(index > 4)
    }

    @Test func class07_failedOpensOnAFullDiskDoNotStayInTheWay() throws {
        let fixture = try ClassEngine()
        try fixture.fill(0..<60, durability: .synced)
        let disk = fixture.memory.crashClone(.dropUnsynced)
        let faulty = FaultInjectingFileSystem(disk)
        for index in 0..<40 {
            faulty.setRule(FaultRule(.mutating, index: index, count: .max, errno: ENOSPC))
            let error = try failure { try ClassEngine.open(faulty, fixture.options).close() }
            if faulty.injectedCount == 0 { break }
            let isFull = error?.code == .diskFull || error?.errno == ENOSPC
            #expect(error == nil || isFull, "call \(index): \(error as Any)")
        }
        #expect(try fixture.rows(on: disk).count == 60)
        #expect(try fixture.rows(on: disk.crashClone(.dropUnsynced)).count == 60)
    }

    @Test func class08_aSyncedCommitCoversTheBufferedOnesBeforeIt() throws {
        let fixture = try ClassEngine()
        for row in 0..<30 {
            try fixture.put("b\(row)", "v", .buffered)
            try fixture.put("w\(row)", "v", .written)
            try fixture.put("s\(row)", "v", .synced)
            let survivor = fixture.memory.crashClone(.dropUnsynced)
            #expect(try fixture.rows(on: survivor).count == 3 * (row + 1))
        }
    }

    @Test func class24_anIdleLogVouchesForAllItAcknowledged() throws {
        let fixture = try ClassEngine()
        var end = LSN.zero
        for row in 0..<5 { end = try fixture.put("k\(row)", "v", .synced).lsn }
        // The watermark comes by itself; nothing else is committed.
        while true {
            let reader = try WALReader(
                directory: "/db/wal", fileSystem: fixture.memory.crashClone(.dropUnsynced))
            while try reader.next() != nil {}
            if reader.syncedLSN >= end, reader.committedLSN >= end { break }
        }
        #expect(fixture.engine.statistics().syncedLSN >= end)
    }

    @Test func class26_timestampsAndLSNsRiseAcrossFailuresAndReopens() throws {
        var fixture = try ClassEngine { $0.memtableBytes = 8 << 10 }
        var last = CommitReceipt(timestamp: .zero, lsn: .zero)
        for life in 0..<4 {
            for row in 0..<40 {
                let receipt = try fixture.put("k\(row)", "\(life)", .buffered)
                #expect(receipt.timestamp > last.timestamp && receipt.lsn > last.lsn)
                last = receipt
            }
            try fixture.fill(0..<10, "\(life)")
            try fixture.engine.flush()
            // A compaction's safepoint reaches a commit that the log will lose.
            let shown = try fixture.put("shown", "and lost", .buffered)
            try fixture.engine.writable().background.compactManually(.all) { _ in true }
            #expect(fixture.engine.tree.state.version.safepoint == shown.timestamp)
            fixture.faulty.setRule(
                FaultRule(.operation(.sync), pathContains: ".wal", index: 0, errno: EIO))
            let error = try failure { try fixture.put("unknown", "x", .synced) }
            #expect(error?.code == .commitOutcomeUnknown)
            #expect(try failure { try fixture.put("refused", "x") }?.code == .poisoned)
            fixture = try ClassEngine(fixture.memory.crashClone(.dropUnsynced)) {
                $0.memtableBytes = 8 << 10
            }
            #expect(try fixture.engine.value("shown") == nil)
            #expect(fixture.engine.publishedTimestamp >= last.timestamp)
            let next = try fixture.put("next", "\(life)")
            #expect(next.timestamp > shown.timestamp && next.lsn > shown.lsn)
            #expect(try fixture.engine.value("next") == "\(life)")
            last = next
        }
    }

    @Test func class29_aSyncThatFailedIsNotRepeatedUntilItSucceeds() throws {
        let fixture = try ClassEngine()
        try fixture.put("a", "1")
        fixture.faulty.setRule(
            FaultRule(.operation(.sync), pathContains: ".wal", index: 0, errno: EIO))
        #expect(try failure { try fixture.put("b", "1") }?.code == .commitOutcomeUnknown)
        fixture.tracing.clear()
        for _ in 0..<3 {
            #expect(try failure { try fixture.put("c", "1") }?.code == .poisoned)
        }
        #expect(try failure { try fixture.engine.close() } != nil)
        #expect(fixture.positions(.sync, ".wal").isEmpty)
        // The device never got `b`; a process that starts now still sees it, and vouches for it.
        #expect(try fixture.rows(on: fixture.memory.crashClone(.dropUnsynced)) == ["a=1"])
        let restarted = fixture.memory.fork()
        #expect(try fixture.rows(on: restarted) == ["a=1", "b=1"])
        #expect(try fixture.rows(on: restarted.crashClone(.dropUnsynced)) == ["a=1", "b=1"])
    }
}
