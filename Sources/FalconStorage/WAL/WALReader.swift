/// Reads the records of a log directory in order. Read-only; safe beside a live writer. Not
/// thread-safe.
///
/// One pass serves recovery: `next` until nil, then ``verdict`` and ``continuation``.
public final class WALReader {
    /// How the reader treats what it cannot read.
    public enum Mode: Sendable, Hashable {
        /// Stops at the first damage. For recovery.
        case strict
        /// Notes damage in ``damages`` and goes on at the next chunk that can be read. For tools.
        case tolerant
        /// For following a live writer: an end is provisional and is not examined.
        case follow
    }

    /// A segment that was entered, with what was seen in it.
    public struct SegmentSummary: Sendable {
        /// Its number, as its name has it.
        public var number: WALSegmentNumber
        /// Where the file is.
        public var path: String
        /// Bytes of the file, room for records to come included.
        public var fileBytes: UInt64
        /// Its header; nil when that cannot be read.
        public var header: WALSegmentHeader?
        /// Chunks with records.
        public var chunkCount = 0
        /// Chunks whose records were passed over for want of a key.
        public var hiddenChunkCount = 0
        /// Chunks without records, that state how far the log is committed and synced.
        public var watermarkCount = 0
        /// Its end was met: records go on in the next segment.
        public var isSealed = false
        /// The end of its last good record.
        public var lastLSN: LSN
        /// File offset one beyond the last good chunk.
        public var usedBytes: UInt64
        /// Leading bytes that a later chunk, a seal or the successor vouches for: damage in them is
        /// noticed and refused.
        public var vouchedBytes: UInt64
        /// File offset one beyond the last good chunk with records.
        var recordsEnd: UInt64
    }

    let directory: String
    let fileSystem: any FileSystem
    let mode: Mode
    private let start: LSN
    /// Where to begin instead of at the segment that holds ``start``.
    private let bookmark: WALBookmark?

    /// Known segments by number, and the index of the current one; equal to the count at the end.
    @exclusivity(unchecked) private var numbers: [WALSegmentNumber] = []
    @exclusivity(unchecked) private var current = -1
    @exclusivity(unchecked) private var file: (any File)?
    @exclusivity(unchecked) private var header: WALSegmentHeader?
    /// The current segment's successor, when it is there and readable.
    @exclusivity(unchecked) private var successor: WALSegmentHeader?
    @exclusivity(unchecked) private var offset: UInt64 = 0
    @exclusivity(unchecked) private var expected = LSN.zero
    @exclusivity(unchecked) private var isSealed = false
    @exclusivity(unchecked) private var isFinished = false
    /// The offset whose bytes were read a second time before they were judged.
    @exclusivity(unchecked) private var rereadOffset = UInt64.max
    /// The same, after somebody was found to vouch for them.
    @exclusivity(unchecked) private var vouchedOffset = UInt64.max
    /// Chunks of the current segment that nothing has vouched for yet, oldest first.
    @exclusivity(unchecked) private var unvouched: [(end: LSN, offset: UInt64)] = []
    @exclusivity(unchecked) private var unvouchedHead = 0
    @exclusivity(unchecked) var window: WALWindow
    /// Opens the records of the current segment; nil: they are plain, or passed over.
    @exclusivity(unchecked) private var cipher: FileCipher?
    /// The current chunk's records, where they were encrypted.
    @exclusivity(unchecked) private var opened = RawBuffer()
    /// Without keys, encrypted records are passed over in place of throwing `key-missing`: their chunks are
    /// checked all the same.
    public var skipsEncrypted = false
    /// The records of the current chunk that are still to come, and the LSN of the first.
    @exclusivity(unchecked) private(set) var chunkBytes = UnsafeRawBufferPointer(
        start: nil, count: 0)
    @exclusivity(unchecked) var chunkPosition = 0
    @exclusivity(unchecked) private var chunkFirst = LSN.zero
    /// Where in its file the chunk lies that holds the record `next` returned last.
    @exclusivity(unchecked) public private(set) var chunkOffset: UInt64 = 0

    /// How the log ends; valid after `next` returned nil.
    @exclusivity(unchecked) public private(set) var verdict: WALVerdict = .clean(end: .zero)
    /// Damage found and passed over in tolerant mode.
    @exclusivity(unchecked) public private(set) var damages: [WALDamage] = []
    /// The segments entered so far, in order.
    @exclusivity(unchecked) public private(set) var summaries: [SegmentSummary] = []
    /// How many ``summaries`` and ``damages`` there are: cheap enough to ask for each record.
    public var segmentCount: Int { summaries.count }
    /// See ``segmentCount``.
    public var damageCount: Int { damages.count }
    /// The greatest committed LSN that a chunk header read so far states.
    @exclusivity(unchecked) public private(set) var committedLSN = LSN.zero
    /// The greatest LSN that one states to be on the device.
    @exclusivity(unchecked) public private(set) var syncedLSN = LSN.zero
    /// The LSN at which the first segment on disk begins; nil without segments.
    @exclusivity(unchecked) public private(set) var firstLSN: LSN?
    /// The first segment on disk, whether or not it can be read.
    @exclusivity(unchecked) public private(set) var firstSegment: WALSegmentNumber?

    /// The shard whose log it is, as FORMAT says; a segment of another is damage. Nil: any will do.
    @exclusivity(unchecked) public var shard: UID?

    /// Begins at the first record at or after `start`.
    public init(
        directory: String, fileSystem: any FileSystem, from start: LSN = .zero,
        mode: Mode = .strict
    ) throws(StorageError) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.mode = mode
        self.start = start
        bookmark = nil
        window = WALWindow()
        try listSegments()
    }

    /// Begins at a record that another strict reader of the same log has read.
    init(
        directory: String, fileSystem: any FileSystem, at bookmark: WALBookmark
    ) throws(StorageError) {
        self.directory = directory
        self.fileSystem = fileSystem
        mode = .strict
        start = bookmark.lsn
        self.bookmark = bookmark
        window = WALWindow()
        try listSegments()
    }

    deinit {
        window.deallocate()
        opened.deallocate()
    }

    /// The header of the segment that is being read.
    public var segmentHeader: WALSegmentHeader? { header }
    /// Where the record that `next` returned last can be read again.
    func bookmark(of record: WALRecord) -> WALBookmark {
        WALBookmark(
            segment: header?.segment ?? WALSegmentNumber(0), chunkOffset: chunkOffset,
            chunkLSN: chunkFirst, lsn: record.lsn)
    }
    /// Bytes of the records in that chunk.
    public var chunkRecordBytes: Int { chunkBytes.count }
    /// One beyond the last byte of the log that was read.
    public var position: LSN { expected }

    /// The next record, or nil at the end; then `verdict` says how the log ends. Throws only on
    /// I/O errors: damage is a verdict. In `follow` mode it may be called again after a nil, and
    /// finds what a live writer added since.
    public func next() throws(StorageError) -> WALRecord? {
        while true {
            if chunkPosition < chunkBytes.count {
                if let record = nextInChunk() {
                    if record.lsn >= start { return record }
                    continue
                }
                let damage = WALDamage(
                    kind: .badRecord, path: path, offset: offset,
                    reason: "a record does not fit its chunk", goodUntil: chunkFirst)
                chunkPosition = chunkBytes.count
                if try !proceed(past: damage) { return nil }
                continue
            }
            if isFinished, mode != .follow { return nil }
            if try !loadChunk() { return nil }
        }
    }

    /// The next record of the current chunk; nil, and nothing is taken, where none fits there.
    func nextInChunk() -> WALRecord? {
        let left = chunkBytes.count - chunkPosition
        guard left >= WALFormat.recordHeaderBytes, let base = chunkBytes.baseAddress else {
            return nil
        }
        let place = base + chunkPosition
        let length = Int(UInt32(littleEndian: place.loadUnaligned(as: UInt32.self)))
        guard length <= left - WALFormat.recordHeaderBytes else { return nil }
        let tag = place.load(fromByteOffset: 4, as: UInt8.self)
        guard tag != 0 else { return nil }
        let lsn = chunkFirst.advanced(by: UInt64(chunkPosition))
        chunkPosition += WALFormat.recordHeaderBytes + length
        return WALRecord(
            tag: WALRecordTag(rawValue: tag), lsn: lsn,
            end: chunkFirst.advanced(by: UInt64(chunkPosition)),
            body: UnsafeRawBufferPointer(
                start: place + WALFormat.recordHeaderBytes, count: length))
    }

    private var path: String {
        guard numbers.indices.contains(current) else { return directory }
        return path(of: numbers[current])
    }
    private func path(of number: WALSegmentNumber) -> String {
        directory + "/" + FileNames.walSegmentName(number)
    }

    // MARK: Segments

    private func listSegments() throws(StorageError) {
        var found: [WALSegmentNumber] = []
        for name in try fileSystem.list(directory) {
            if case .walSegment(let number) = FileNames.parse(name) { found.append(number) }
        }
        found.sort()
        if numbers.indices.contains(current) {
            let now = numbers[current]
            // The current one may have been retired under our eyes: keep it while it is read.
            numbers = [now] + found.filter { $0 > now }
            current = 0
        } else {
            numbers = found
        }
    }

    /// Enters the segment to start from.
    private func enterFirst() throws(StorageError) -> Bool {
        if numbers.isEmpty { try listSegments() }
        guard !numbers.isEmpty else {
            verdict = .clean(end: .zero)
            isFinished = mode != .follow
            return false
        }
        if let bookmark { return try enter(bookmark) }
        var chosen = 0
        firstSegment = numbers[0]
        if case .header(let first) = try readHeader(numbers[0]) { firstLSN = first.firstLSN }
        if start > .zero {
            for index in numbers.indices.reversed() {
                if case .header(let header) = try readHeader(numbers[index]),
                    header.firstLSN <= start
                {
                    chosen = index
                    break
                }
            }
        }
        current = chosen
        return try enter(after: nil)
    }

    private func enter(_ bookmark: WALBookmark) throws(StorageError) -> Bool {
        guard let index = numbers.firstIndex(of: bookmark.segment) else {
            throw StorageError(
                .notFound, kind: .transient, "A segment of the log went while it was read.",
                location: .init(path: path(of: bookmark.segment)))
        }
        current = index
        guard try enter(after: nil) else { return false }
        offset = bookmark.chunkOffset
        expected = bookmark.chunkLSN
        return true
    }

    private func readHeader(
        _ number: WALSegmentNumber
    ) throws(StorageError) -> WALSegmentHeader.Decoded {
        try WALDirectory.readHeader(path(of: number), fileSystem)
    }

    /// Opens segment `current`; false (with a verdict) when its header cannot be trusted.
    private func enter(after previous: WALSegmentHeader?) throws(StorageError) -> Bool {
        let number = numbers[current]
        let entered = try fileSystem.open(path(of: number), .read)
        let size = try entered.size()
        let bytes = try entered.readExactly(Int(min(size, UInt64(WALFormat.headerBytes))), at: 0)
        file = entered
        cipher = nil
        isSealed = false
        successor = nil
        rereadOffset = .max
        vouchedOffset = .max
        offset = UInt64(WALFormat.headerBytes)
        window.reset()
        var summary = SegmentSummary(
            number: number, path: entered.path, fileBytes: size, header: nil, lastLSN: expected,
            usedBytes: offset, vouchedBytes: 0, recordsEnd: offset)
        unvouched.removeAll(keepingCapacity: true)
        unvouchedHead = 0
        var problem: (WALDamage.Kind, String)?
        header = nil
        switch WALSegmentHeader.decode(bytes) {
        case .header(let decoded):
            if decoded.segment != number {
                problem = (.badHeader, "the header is of segment \(decoded.segment)")
            } else {
                header = decoded
                if let envelope = decoded.envelope, !skipsEncrypted || fileSystem.keys != nil {
                    cipher = try fileSystem.keys.cipher(
                        .log, envelope, uid: decoded.uid, path: entered.path)
                }
            }
        case .blank: problem = (.zeroed, "the segment header is blank")
        case .damaged(let why): problem = (.badHeader, why)
        case .newer(let what): problem = (.unsupported, what)
        }
        if let header {
            if let reason = shard.flatMap(header.foreignReason) {
                problem = (.foreign, reason)
            } else if let previous, shard.flatMap(previous.foreignReason) == nil {
                if header.predecessor?.segment != previous.segment
                    || header.predecessor?.uid != previous.uid
                {
                    problem = (
                        .foreign,
                        "the segment does not name segment \(previous.segment) as its "
                            + "predecessor"
                    )
                } else if header.firstLSN < expected {
                    problem = (.gap, "the segment begins at \(header.firstLSN), before \(expected)")
                }
            }
            expected = header.firstLSN
            summary.header = header
            summary.lastLSN = header.firstLSN
            summary.vouchedBytes = offset
        }
        summaries.append(summary)
        if let (kind, reason) = problem {
            let damage = WALDamage(
                kind: kind, path: path, offset: 0, reason: reason, goodUntil: summary.lastLSN)
            if mode == .tolerant, header != nil {
                damages.append(damage)
                try findSuccessor()
                return true
            }
            return try proceed(past: damage)
        }
        try findSuccessor()
        return true
    }

    /// Looks whether a later segment is there and vouches for this one.
    private func findSuccessor() throws(StorageError) {
        guard current + 1 < numbers.count, let header else { return }
        guard numbers[current + 1] == header.segment.successor else { return }
        if case .header(let next) = try readHeader(numbers[current + 1]),
            next.predecessor?.uid == header.uid
        {
            successor = next
        }
    }

    /// Goes on to the next segment on disk; false at the end of the log.
    private func advance() throws(StorageError) -> Bool {
        let previous = header
        let gap =
            current + 1 < numbers.count && previous != nil
            && numbers[current + 1] != numbers[current].successor
        if gap {
            let missing = numbers[current].successor
            let damage = WALDamage(
                kind: .missingSegment, path: path(of: missing), offset: 0,
                reason:
                    "segment \(missing) is missing, and segment \(numbers[current + 1]) is there",
                goodUntil: expected)
            if mode != .tolerant {
                finish(.corruption(damage))
                return false
            }
            damages.append(damage)
        }
        guard current + 1 < numbers.count else { return false }
        current += 1
        return try enter(after: gap ? nil : previous)
    }

    private func finish(_ verdict: WALVerdict) {
        self.verdict = verdict
        isFinished = true
        if case .corruption(let damage) = verdict, mode == .tolerant { damages.append(damage) }
    }

    /// Records damage. Strict readers stop (false); tolerant ones go on behind it.
    private func proceed(past damage: WALDamage) throws(StorageError) -> Bool {
        guard mode == .tolerant else {
            finish(.corruption(damage))
            return false
        }
        let index = damages.count
        damages.append(damage)
        if header != nil, let file,
            let found = try WALTailScan.nextChunk(
                in: file, after: offset + 8, header: header, window: &window)
        {
            offset = found.offset
            expected = found.firstLSN
            damages[index].resumesAt = expected
            return true
        }
        if try advance() {
            damages[index].resumesAt = expected
            return true
        }
        if !isFinished { finishTolerant() }
        return false
    }

    private func finishTolerant() {
        isFinished = true
        if let first = damages.first { verdict = .corruption(first) }
    }

    // MARK: Chunks

    /// Loads the next chunk; false at the end (with a verdict).
    private func loadChunk() throws(StorageError) -> Bool {
        if current < 0 {
            guard try enterFirst() else { return false }
        }
        while true {
            guard let file, let header else { return try proceedWithoutHeader() }
            if isSealed || header.cutLSN.map({ expected >= $0 }) == true {
                return try endOfSegment(.sealed)
            }
            let head = try window.bytes(
                of: file, at: offset, count: WALFormat.chunkHeaderBytes)
            guard head.count == WALFormat.chunkHeaderBytes, let base = head.baseAddress,
                let chunk = WALChunkHeader.decode(base), chunk.segment == header.chunkNumber,
                chunk.tag == header.chunkTag, chunk.offset == offset
            else { return try endOfSegment(.unreadable) }
            if let successor, let last = successor.predecessor?.lastLSN, chunk.kind == .records,
                chunk.firstLSN >= last
            {
                // A tail that the recovery before the successor did not accept.
                return try endOfSegment(.unreadable)
            }
            let seal = chunk.kind == .records ? header.sealBytes : 0
            guard chunk.firstLSN == expected, chunk.storedBytes == chunk.recordBytes + seal else {
                let damage = WALDamage(
                    kind: chunk.firstLSN == expected ? .unsupported : .gap, path: path,
                    offset: offset,
                    reason: "the chunk begins at \(chunk.firstLSN) where \(expected) is expected",
                    goodUntil: expected)
                if mode == .tolerant, chunk.storedBytes == chunk.recordBytes + seal {
                    damages.append(damage)
                    expected = chunk.firstLSN
                    continue
                }
                guard try proceed(past: damage) else { return false }
                continue
            }
            let whole = try window.bytes(of: file, at: offset, count: chunk.totalBytes)
            guard whole.count == chunk.totalBytes else { return try endOfSegment(.unreadable) }
            let stored = UnsafeRawBufferPointer(
                rebasing: whole[WALFormat.chunkHeaderBytes...])
            guard Checksum.crc32c(stored) == chunk.payloadCRC else {
                return try endOfSegment(.unreadable)
            }
            guard let records = open(chunk, stored, header) else {
                let damage = WALDamage(
                    kind: .badRecord, path: path, offset: offset,
                    reason: "the chunk fails its authentication", goodUntil: expected)
                guard try proceed(past: damage) else { return false }
                continue
            }
            accept(chunk, records)
            if seal > 0, cipher == nil { hideChunk() }
            if chunk.kind == .records { return true }
        }
    }

    /// The records of a chunk, decrypted where they are encrypted and there is the key; nil: they are not what was
    /// written.
    private func open(
        _ chunk: WALChunkHeader, _ stored: UnsafeRawBufferPointer, _ header: WALSegmentHeader
    ) -> UnsafeRawBufferPointer? {
        guard chunk.kind == .records, header.envelope != nil, let cipher else {
            return UnsafeRawBufferPointer(rebasing: stored[0..<chunk.recordBytes])
        }
        let sealed = UnsafeRawBufferPointer(rebasing: stored[0..<chunk.storedBytes])
        opened.assign(sealed)
        guard let target = UnsafeMutableRawPointer(mutating: opened.bytes.baseAddress),
            cipher.open(sealed, into: target, at: chunk.place(header.uid))
        else { return nil }
        return UnsafeRawBufferPointer(rebasing: opened.bytes[0..<chunk.recordBytes])
    }

    /// The current chunk's records cannot be read.
    private func hideChunk() {
        chunkPosition = chunkBytes.count
        summaries[summaries.count - 1].hiddenChunkCount += 1
    }

    private func accept(_ chunk: WALChunkHeader, _ records: UnsafeRawBufferPointer) {
        chunkOffset = offset
        offset += UInt64(chunk.totalBytes)
        // The log that is shown may leave the segment in the midst of the chunk.
        expected = min(chunk.endLSN, header?.cutLSN ?? .max)
        syncedLSN = max(syncedLSN, chunk.syncedLSN)
        committedLSN = max(committedLSN, chunk.committedLSN)
        let last = summaries.count - 1
        while unvouchedHead < unvouched.count, unvouched[unvouchedHead].end <= syncedLSN {
            summaries[last].vouchedBytes = unvouched[unvouchedHead].offset
            unvouchedHead += 1
        }
        if unvouchedHead == unvouched.count {
            unvouched.removeAll(keepingCapacity: true)
            unvouchedHead = 0
        }
        summaries[last].usedBytes = offset
        summaries[last].lastLSN = expected
        switch chunk.kind {
        case .records:
            summaries[last].chunkCount += 1
            summaries[last].recordsEnd = offset
            unvouched.append((expected, offset))
            chunkFirst = chunk.firstLSN
            let count = expected.rawValue &- chunk.firstLSN.rawValue
            chunkBytes = UnsafeRawBufferPointer(rebasing: records.prefix(Int(clamping: count)))
            chunkPosition = expected <= start ? chunkBytes.count : 0
        case .watermark: summaries[last].watermarkCount += 1
        case .seal:
            summaries[last].isSealed = true
            isSealed = true
        }
    }

    private func proceedWithoutHeader() throws(StorageError) -> Bool {
        guard mode == .tolerant, try advance() else {
            if !isFinished { finishTolerant() }
            return false
        }
        return try loadChunk()
    }

    private enum SegmentEnd { case sealed, unreadable }

    /// Nothing readable follows in this segment: the end of the log, the way to the next segment, or
    /// damage.
    private func endOfSegment(_ end: SegmentEnd) throws(StorageError) -> Bool {
        guard let file, let header else { return false }
        if successor == nil {
            try listSegments()
            try findSuccessor()
            // Younger than the bytes that were read.
            if successor != nil { rereadOffset = .max }
        }
        if end == .unreadable, rereadOffset != offset {
            // A live writer may have written since these bytes were read: judge fresh ones.
            rereadOffset = offset
            window.reset()
            return try loadChunk()
        }
        if let last = successor?.predecessor?.lastLSN {
            if expected == last {
                let index = summaries.count - 1
                summaries[index].vouchedBytes = summaries[index].recordsEnd
                guard try advance() else { return false }
                return try loadChunk()
            }
            let damage = WALDamage(
                kind: try WALTailScan.classify(file, at: offset, header: header, window: &window),
                path: path, offset: offset,
                reason: "the log ends at \(expected), and segment \(header.segment.successor) "
                    + "vouches for it up to \(last)",
                goodUntil: expected)
            guard try proceed(past: damage) else { return false }
            return try loadChunk()
        }
        if current + 1 < numbers.count {
            // A later segment that does not fit: its own entry, or the hole, is the damage.
            if numbers[current + 1] != header.segment.successor || end == .sealed {
                guard try advance() else { return false }
                return try loadChunk()
            }
            guard try advance() else { return false }
            return try loadChunk()
        }
        if mode == .follow {
            verdict = .clean(end: expected)
            window.reset()
            rereadOffset = .max
            return false
        }
        if end == .sealed {
            if mode == .tolerant, !damages.isEmpty {
                finishTolerant()
            } else {
                finish(.clean(end: expected))
            }
            return false
        }
        return try examineTail(file, header)
    }

    /// Decides between the end of the log, a torn tail and damage, by what lies behind.
    private func examineTail(_ file: any File, _ header: WALSegmentHeader) throws(StorageError)
        -> Bool
    {
        let tail = try WALTailScan.examine(
            file, from: offset, header: header, durableBeyond: expected, window: &window)
        if tail.voucher != nil, vouchedOffset != offset {
            // A live writer may have written both since: what is vouched for must be there by now.
            vouchedOffset = offset
            window.reset()
            return try loadChunk()
        }
        if let voucher = tail.voucher {
            let damage = WALDamage(
                kind: try WALTailScan.classify(file, at: offset, header: header, window: &window),
                path: path, offset: offset,
                reason: "the log ends at \(expected), and the chunk at offset \(voucher.offset) "
                    + "vouches for it up to \(voucher.syncedLSN)",
                goodUntil: expected)
            guard try proceed(past: damage) else { return false }
            return try loadChunk()
        }
        if mode == .tolerant, !damages.isEmpty {
            finishTolerant()
        } else if tail.discardedBytes > 0 {
            finish(
                .tornTail(
                    end: expected, segment: header.segment, offset: offset,
                    discardedBytes: tail.discardedBytes))
        } else {
            finish(.clean(end: expected))
        }
        return false
    }

    /// How a new incarnation continues this log; valid after `next` returned nil. Only a sealed log is
    /// continued without a gap in the LSNs: behind any other end there may have been records that
    /// somebody saw.
    public var continuation: WALContinuation {
        guard let number = numbers.last, let header else { return .beginning }
        var first = verdict.end
        var discarded: UInt64 = 0
        if case .tornTail(_, _, _, let bytes) = verdict { discarded = bytes }
        if !isSealed { first = first.advanced(by: max(64 << 20, discarded &* 2)) }
        var unvouched: Range<UInt64> = 0..<0
        var traceEnd: UInt64?
        if let last = summaries.last, last.number == number {
            traceEnd = last.usedBytes &+ discarded
            if last.vouchedBytes < last.usedBytes {
                unvouched = last.vouchedBytes..<last.usedBytes
            }
        }
        return WALContinuation(
            segment: number.successor, firstLSN: first,
            predecessor: .init(segment: number, uid: header.uid, lastLSN: verdict.end),
            unvouched: unvouched, traceEnd: traceEnd)
    }
}
