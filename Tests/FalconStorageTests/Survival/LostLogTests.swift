import Glibc
import Testing

@testable import FalconStorage

/// What MANIFEST knows of the log without a flush: new segments, and the end of one closed whole.
@Suite struct LostLogTests {
    private func change(_ options: inout EngineOptions) {
        options.memtableBytes = 8 << 20
        options.walRetainBytes = .max
    }

    private func expectation(_ fileSystem: MemoryFileSystem) throws -> LogExpectation {
        try #require(try LogExpectation.read(FileNames(root: "/db"), fileSystem))
    }

    /// The note comes behind the commits, and its sync behind the note.
    private func awaitNote(of segment: WALSegmentNumber, _ memory: MemoryFileSystem) throws {
        let hanging = try Bounded.run(seconds: 30) { _ in
            func isNoted(_ disk: MemoryFileSystem) -> Bool {
                ((try? expectation(disk).segment) ?? WALSegmentNumber(0)) >= segment
            }
            while !isNoted(memory) || !isNoted(memory.crashClone(.dropUnsynced)) { sched_yield() }
        }
        #expect(hanging.isEmpty)
    }

    /// The refusal of `fileSystem`, for reading and for writing.
    private func refusals(
        _ fixture: ClassEngine, _ fileSystem: MemoryFileSystem
    ) throws -> [StorageError?] {
        try [true, false].map { isReadOnly in
            var options = fixture.options
            options.isReadOnly = isReadOnly
            return try failure { try ClassEngine.open(fileSystem.fork(), options).close() }
        }
    }

    /// Where the last chunk ends that is more than its header: marks and the seal follow.
    private func endOfRecords(_ disk: MemoryFileSystem, _ path: String) throws -> UInt64 {
        let bytes = try disk.contents(of: path)
        var end = bytes.count
        while end >= WALFormat.headerBytes + WALFormat.chunkHeaderBytes {
            let header = bytes.withUnsafeBytes { raw in
                raw.baseAddress.flatMap {
                    WALChunkHeader.decode($0 + end - WALFormat.chunkHeaderBytes)
                }
            }
            guard header?.storedBytes == 0 else { break }
            end -= WALFormat.chunkHeaderBytes
        }
        return UInt64(end)
    }

    @Test func theNewestSegmentIsMissedThoughNothingWasFlushed() throws {
        let fixture = try ClassEngine(change: change)
        let wal = try fixture.engine.writable().wal
        // What is written at once lies in one segment, however much it is.
        for part in 0..<10 {
            try fixture.fill(part * 40..<part * 40 + 40, bytes: 500)
            try wal.sync()
            try fixture.awaitSpare()
        }
        let newest = wal.currentSegment
        #expect(newest.rawValue > 2)
        try awaitNote(of: newest, fixture.memory)
        let survivor = fixture.memory.crashClone(.dropUnsynced)
        #expect(try refusals(fixture, survivor).allSatisfy { $0 == nil })
        let path = FileNames(root: "/db").walSegment(newest)
        try survivor.remove(path)
        for error in try refusals(fixture, survivor) {
            #expect(error?.code == .corruption && error?.location?.path == path, "\(error as Any)")
            #expect(error?.message.contains("though there was segment") == true)
        }
    }

    @Test func aNoteCostsNoCommitItsSync() throws {
        let fixture = try ClassEngine(change: change)
        fixture.tracing.clear()
        try fixture.fill(0..<400, bytes: 500)
        let wal = try fixture.engine.writable().wal
        try awaitNote(of: wal.currentSegment, fixture.memory)
        // One edit for each segment at most: notes that nobody read in time are passed over.
        #expect(fixture.positions(.sync, "MANIFEST").count <= Int(wal.currentSegment.rawValue))
    }

    @Test func aLogThatWasClosedWholeIsMissedFromItsLastByteOn() throws {
        let fixture = try ClassEngine(change: change)
        try fixture.fill(0..<30)
        try fixture.engine.close()
        let closed = fixture.memory.crashClone(.dropUnsynced)
        #expect(try expectation(closed).sealedEnd > .zero)
        let path = try #require(try fixture.files("wal", ".wal").last)
        let size = try closed.fileSize(path)
        let records = try endOfRecords(closed, path)
        #expect(records < size)
        for cut in stride(from: UInt64(WALFormat.headerBytes), to: size, by: 40) {
            for zeroes in [false, true] {
                let copy = closed.fork()
                let file = try copy.open(path, .readWrite)
                if zeroes {
                    try file.write([UInt8](repeating: 0, count: Int(size - cut)), at: cut)
                } else {
                    try file.truncate(to: cut)
                }
                // The seal may go, and marks before it: no record is lost with them.
                for error in try refusals(fixture, copy) {
                    #expect((error?.code == .corruption) == (cut < records), "cut at \(cut)")
                    if let error { #expect(error.location?.path == path, "\(error)") }
                }
            }
        }
    }
}
