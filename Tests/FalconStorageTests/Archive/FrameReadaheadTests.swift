import Testing

@testable import FalconStorage

/// Archived segments whose frames are unpacked ahead of the reader.
struct FrameReadaheadTests {
    /// A repository with a segment of many frames.
    private func archived(seed: UInt64 = 3) throws -> (MemoryFileSystem, ArchivedSegment) {
        let memory = MemoryFileSystem()
        let environment = StorageEnvironment(
            fileSystem: memory, clock: ManualClock(), random: FalconStorage.SeededRandom(seed: seed)
        )
        var options = EngineOptions()
        options.walSegmentBytes = 8 << 20
        var archive = ArchiveOptions(directory: "/repo")
        archive.timeoutMicros = 0
        options.archive = archive
        let engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
        var random = SplitMix64(seed: seed)
        for row in 0..<150 {
            let batch = WriteBatch()
            var value = [UInt8](repeating: 0, count: 20_000)
            for index in stride(from: 0, to: value.count, by: 16) {
                value[index] = UInt8(truncatingIfNeeded: random.next())
            }
            try batch.add(.put, Array("row \(row)".utf8), value)
            try engine.commitAndWait(batch)
        }
        try engine.archiveNow()
        try engine.close()
        let segments = try Repository.open("/repo", memory).inventory().segments
        let largest = try #require(segments.max { $0.rawBytes < $1.rawBytes })
        try #require(largest.footer.frameCount > 6)
        return (memory, largest)
    }

    private func bytes(_ file: ArchivedSegmentFile, piece: Int) throws -> [UInt8] {
        var found: [UInt8] = []
        while found.count < Int(file.footer.rawBytes) {
            let count = min(piece, Int(file.footer.rawBytes) - found.count)
            found += try file.readExactly(count, at: UInt64(found.count))
        }
        return found
    }

    @Test(arguments: [1, 3])
    func whatIsReadAheadIsTheSame(threads: Int) throws {
        let (memory, segment) = try archived()
        let plain = try ArchivedSegmentFile(segment.path, memory)
        let wanted = try bytes(plain, piece: 1 << 20)
        let readahead = try FrameReadahead(threads: threads)
        // Others are left in their midst, closed or unclosed: the next file may lie where the last one lay.
        let (otherMemory, other) = try archived(seed: 4)
        for round in 0..<6 {
            let left = try ArchivedSegmentFile(other.path, otherMemory, readahead: readahead)
            // The second frame in a row has those behind it unpacked.
            for frame in 0..<2 {
                _ = try left.readExactly(1000, at: UInt64(frame * Int(left.footer.frameBytes)))
            }
            if round % 2 == 0 { try left.close() }
            let file = try ArchivedSegmentFile(segment.path, memory, readahead: readahead)
            #expect(try bytes(file, piece: 10_000 << round) == wanted)
            if round % 2 == 0 { try file.close() }
        }
        // From place to place.
        let file = try ArchivedSegmentFile(segment.path, memory, readahead: readahead)
        var random = SplitMix64(seed: 9)
        for _ in 0..<40 {
            let place = Int.random(in: 0..<wanted.count - 600_000, using: &random)
            let count = Int.random(in: 1...600_000, using: &random)
            let found = try file.readExactly(count, at: UInt64(place))
            let same = wanted[place..<place + count].withUnsafeBytes { Checksum.xxh3($0) }
            #expect(found.withUnsafeBytes { Checksum.xxh3($0) } == same)
        }
    }

    @Test func aFileOutlivesTheThreads() throws {
        let (memory, segment) = try archived()
        var readahead: FrameReadahead? = try FrameReadahead(threads: 2)
        let file = try ArchivedSegmentFile(segment.path, memory, readahead: readahead)
        let head = try file.readExactly(1 << 20, at: 0)
        readahead = nil
        let plain = try ArchivedSegmentFile(segment.path, memory)
        #expect(try head == plain.readExactly(1 << 20, at: 0))
        #expect(try bytes(file, piece: 4096) == bytes(plain, piece: 1 << 20))
        try file.close()
    }

    @Test func damageIsNoticedAhead() throws {
        let (memory, segment) = try archived()
        var stored = try memory.contents(of: segment.path)
        stored[stored.count / 2] ^= 8
        try memory.replace(segment.path, with: stored)
        let readahead = try FrameReadahead(threads: 2)
        let file = try ArchivedSegmentFile(segment.path, memory, readahead: readahead)
        #expect {
            try bytes(file, piece: 64 << 10)
        } throws: {
            ($0 as? StorageError)?.code == .corruption
        }
        try file.close()
    }
}
