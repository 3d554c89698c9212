import Testing

@testable import FalconStorage

/// A log, a copy of a part of it in another directory, and what that directory wrote then, archived to one repository
/// and read as one log.
struct JoinedLogTests {
    private static let shard = UID(high: 3, low: 4)
    private static let branch = UID(high: 5, low: 6)

    private let memory = MemoryFileSystem()
    private let fixture: WALFixture
    private let repository: Repository
    private let records: Int
    /// Of the source's records.
    private let positions: [WALPosition]

    init() throws {
        try self.init(records: 900)
    }

    private init(records: Int) throws {
        fixture = WALFixture(memory, seed: 9)
        repository = try Repository.openOrCreate("/repo", shard: Self.shard, memory)
        self.records = records
        positions = try Self.write(
            fixture, "/source", Self.branch, .beginning, 0..<records, incarnation: 1)
        try archive("/source")
    }

    /// Appends the records, some to a chunk, and ends the log.
    private static func write(
        _ fixture: WALFixture, _ directory: String, _ branch: UID,
        _ continuation: WALContinuation, _ range: Range<Int>, incarnation: UInt64
    ) throws -> [WALPosition] {
        try fixture.fileSystem.createDirectoryIfMissing(directory)
        let writer = try WALWriter.open(
            directory: directory,
            identity: WALIdentity(
                cluster: shard, shard: shard, branch: branch, incarnation: incarnation),
            continuation: continuation, options: fixture.options,
            environment: StorageEnvironment(
                fileSystem: fixture.fileSystem, clock: ManualClock(), random: fixture.random),
            callbacks: WALCallbacks())
        var positions: [WALPosition] = []
        for index in range {
            positions.append(try writer.append(.logicalMessage, WALFixture.body(index)))
            if index % 30 == 29 { try writer.sync() }
        }
        try writer.close()
        return positions
    }

    private func archive(_ directory: String) throws {
        let writer = ArchivedSegmentWriter(repository: repository.names, fileSystem: memory)
        for name in try memory.list(directory) {
            guard case .walSegment = FileNames.parse(name) else { continue }
            _ = try writer.archive(directory + "/" + name, wallMicros: 0)
        }
    }

    /// A copy of the source's records `range`, and behind it as many of another branch; archived.
    private func restore(_ range: Range<Int>, in directory: String, branch: UInt64) throws {
        let start = positions[range.lowerBound].start
        _ = try Self.write(
            fixture, directory, Self.branch,
            WALContinuation(segment: WALSegmentNumber(1), firstLSN: start, predecessor: nil), range,
            incarnation: 1)
        let reader = try WALReader(directory: directory, fileSystem: memory)
        while try reader.next() != nil {}
        _ = try Self.write(
            fixture, directory, UID(high: 7, low: branch), reader.continuation, 5000..<5040,
            incarnation: 1 + branch)
        try archive(directory)
    }

    private func source(_ segments: [ArchivedSegment]) throws -> RepositorySource {
        try RepositorySource(repository, backup: nil, segments: segments, gap: nil)
    }

    private func read(
        _ source: RepositorySource, from start: LSN = .zero
    ) throws -> (found: [(lsn: LSN, body: [UInt8])], verdict: WALVerdict) {
        let reader = try WALReader(
            directory: FileNames(root: source.root).walDirectory, fileSystem: source.view,
            from: start)
        var found: [(lsn: LSN, body: [UInt8])] = []
        while let record = try reader.next() { found.append((record.lsn, Array(record.body))) }
        return (found, reader.verdict)
    }

    /// Records that have others before them in their chunk.
    private func insideChunks() throws -> [Int] {
        let reader = try WALReader(directory: "/source", fileSystem: memory)
        var found: [Int] = []
        var (index, last) = (0, UInt64.max)
        while try reader.next() != nil {
            if reader.chunkOffset == last { found.append(index) }
            last = reader.chunkOffset
            index += 1
        }
        return found
    }

    /// A group commit makes one chunk of several commits, and a restore may begin or end between them.
    @Test func aCopyBeginsInsideAChunk() throws {
        let places = try insideChunks().filter { $0 > 30 && $0 < records - 30 }
        try #require(places.count > 3)
        for begin in [places[0], places[places.count / 2], places[places.count - 1]] {
            try checkEachRecordIsReadOnce(begin)
        }
    }

    /// Wherever in a chunk or a segment the copy begins and ends.
    @Test(arguments: [30, 31, 44, 59, 60, 301, 555, 870])
    func eachRecordIsReadOnce(begin: Int) throws { try checkEachRecordIsReadOnce(begin) }

    private func checkEachRecordIsReadOnce(_ begin: Int) throws {
        for end in [begin + 1, begin + 13, begin + 30] {
            let test = try JoinedLogTests(records: 900)
            try test.restore(begin..<end, in: "/copy", branch: 2)
            let line = try RepositoryTimeline(test.repository.inventory().segments, branch: nil)
            #expect(line.chain.first?.firstLSN == WALContinuation.beginning.firstLSN)
            let (found, verdict) = try test.read(try test.source(line.chain))
            #expect(!verdict.isCorruption)
            let expected = Array(0..<end) + Array(5000..<5040)
            #expect(found.map(\.body) == expected.map { WALFixture.body($0) }, "\(begin) to \(end)")
            #expect(found.prefix(end).map(\.lsn) == test.positions.prefix(end).map(\.start))
            #expect(zip(found, found.dropFirst()).allSatisfy { $0.lsn < $1.lsn })
            // From everywhere, as from a bookmark's place.
            for start in [begin - 1, begin, end - 1] {
                let (rest, _) = try test.read(
                    try test.source(line.chain), from: test.positions[start].start)
                #expect(rest.map(\.body) == expected[start...].map { WALFixture.body($0) })
            }
        }
    }

    /// A copy of what a copy's directory wrote, and a copy that the other one could stand for.
    @Test func severalCopiesAreOneLog() throws {
        try restore(100..<200, in: "/one", branch: 2)
        try restore(150..<260, in: "/two", branch: 3)
        for (branch, end) in [(UInt64(2), 200), (3, 260)] {
            let line = try RepositoryTimeline(
                repository.inventory().segments, branch: UID(high: 7, low: branch))
            let (found, verdict) = try read(try source(line.chain))
            #expect(!verdict.isCorruption)
            let expected = Array(0..<end) + Array(5000..<5040)
            #expect(found.map(\.body) == expected.map { WALFixture.body($0) })
        }
    }

    /// Only where a record ends may a segment be left.
    @Test func aCutInsideARecordIsDamage() throws {
        var segments = try repository.inventory().segments
        try #require(!segments.isEmpty)
        segments = [segments[0]]
        segments[0].cutLSN = positions[40].start.advanced(by: 3)
        let (found, verdict) = try read(try source(segments))
        #expect(found.count == 40)
        #expect(verdict.isCorruption)
        segments[0].cutLSN = positions[40].start
        let (whole, clean) = try read(try source(segments))
        #expect(whole.count == 40)
        #expect(clean == .clean(end: positions[40].start))
    }

    /// What was archived is shown byte by byte where nothing had to be joined.
    @Test func aPlainLogIsShownAsItIs() throws {
        let segments = try repository.inventory().segments.sorted { $0.firstLSN < $1.firstLSN }
        let shown = try source(segments)
        for segment in segments {
            let path = FileNames(root: shown.root).walSegment(segment.segment)
            let file = try shown.view.open(path, .read)
            let plain = try ArchivedSegmentFile(segment.path, memory)
            #expect(try file.readExactly(4096, at: 0) == plain.readExactly(4096, at: 0))
        }
    }

    /// The fields that say how a segment is shown are zero on disk.
    @Test func aHeaderKeepsHowItIsShown() throws {
        let name = try #require(
            try memory.list("/source").sorted().first { $0.hasSuffix(".wal") })
        let bytes = try memory.contents(of: "/source/" + name).prefix(WALFormat.headerBytes)
        guard case .header(var header) = WALSegmentHeader.decode(Array(bytes)) else {
            Issue.record("no header")
            return
        }
        #expect(header.chunkSegment == nil && header.cutLSN == nil)
        #expect(header.encoded() == Array(bytes))
        header.chunkSegment = header.segment
        header.segment = WALSegmentNumber(77)
        header.cutLSN = LSN(1234)
        guard case .header(let again) = WALSegmentHeader.decode(header.encoded()) else {
            Issue.record("no header")
            return
        }
        #expect(again == header)
    }
}
