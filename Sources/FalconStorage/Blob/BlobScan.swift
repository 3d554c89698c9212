/// Reads the large values of one scan: from the cache, ahead of a file that the scan walks through, or
/// one by one. For one thread.
///
/// The values of neighbouring keys lie in some few files, in each of them in key order and with garbage
/// in between. Which files are walked through is seen by their offsets; the scan then reads larger and
/// larger pieces of them, which go nowhere else: a scan does not push others' values out of the cache.
final class BlobScan {
    private static let streamCount = 8
    private static let largestPieceBytes = 128 << 10
    /// A step over more than this is no walk.
    private static let largestGapBytes: UInt64 = 64 << 10

    /// One file that the scan reads from.
    private struct Stream {
        /// The reader, kept alive by the version that the iterator holds.
        var reader: Unmanaged<BlobReader>?
        /// Where the last record ended, and how many in a row came soon after the one before.
        var expected: UInt64 = 0
        var run = 0
        var piece: UnsafeMutableRawBufferPointer?
        var start: UInt64 = 0
        var filled = 0
        var wantedBytes = 16 << 10
        var lastUse: UInt64 = 0
    }

    private var streams: [Stream] = []
    private var clock: UInt64 = 0
    /// Holds the current value when it was not read ahead.
    private var pin = BlockPin()
    /// The current value, when it was read ahead and compressed.
    private let unpacked = ByteBuffer(capacity: 4096)
    /// The record that was read last, when it was encrypted.
    private let opened = ByteBuffer(capacity: 16)

    deinit {
        pin.release()
        for stream in streams { stream.piece?.deallocate() }
    }

    /// The value that `reference` leads to, which must be `key`'s. It lives until the next call.
    func value(
        _ reference: BlobReference, of key: UnsafeRawBufferPointer, in reader: BlobReader
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        let place = stream(of: reader)
        let end = reference.offset &+ UInt64(reference.recordBytes)
        let gap = reference.offset &- streams[place].expected
        streams[place].run = gap <= Self.largestGapBytes ? streams[place].run + 1 : 0
        streams[place].expected = end
        if let cached = try reader.cachedValue(reference, &pin) { return cached }
        guard streams[place].run > 2, Int(reference.recordBytes) <= Self.largestPieceBytes else {
            return try reader.value(reference, of: key, &pin, fillCache: true)
        }
        try reader.check(reference)
        try fill(place, reference, end, reader)
        guard let piece = streams[place].piece else { throw reader.damaged(reference, "is lost") }
        let from = Int(reference.offset - streams[place].start)
        let bytes = UnsafeRawBufferPointer(
            rebasing: piece[from..<(from + Int(reference.recordBytes))])
        if reader.isSealed { opened.reserve(bytes.count) }
        let record = try reader.prove(
            bytes, reference, key,
            room: UnsafeMutableRawBufferPointer(start: opened.pointer, count: opened.capacity))
        if record.codec == .none { return record.payload }
        unpacked.count = 0
        unpacked.reserve(max(record.valueBytes, 1))
        let target = UnsafeMutableRawBufferPointer(
            start: unpacked.pointer, count: record.valueBytes)
        guard BlockCompression.decompress(record.codec, record.payload, into: target) else {
            throw reader.damaged(reference, "does not decompress")
        }
        return UnsafeRawBufferPointer(target)
    }

    /// The place of `reader`'s stream; a new one takes the place of the one unused for longest.
    private func stream(of reader: BlobReader) -> Int {
        clock &+= 1
        let wanted = Unmanaged.passUnretained(reader)
        var oldest = 0
        for index in streams.indices {
            if streams[index].reader?.toOpaque() == wanted.toOpaque() {
                streams[index].lastUse = clock
                return index
            }
            if streams[index].lastUse < streams[oldest].lastUse { oldest = index }
        }
        var fresh = Stream(reader: wanted)
        fresh.expected = .max
        fresh.lastUse = clock
        if streams.count < Self.streamCount {
            streams.append(fresh)
            return streams.count - 1
        }
        fresh.piece = streams[oldest].piece
        streams[oldest] = fresh
        return oldest
    }

    /// Has the record in the stream's piece.
    private func fill(
        _ place: Int, _ reference: BlobReference, _ end: UInt64, _ reader: BlobReader
    ) throws(StorageError) {
        let stream = streams[place]
        if reference.offset >= stream.start, end <= stream.start &+ UInt64(stream.filled) { return }
        let piece =
            stream.piece
            ?? .allocate(byteCount: Self.largestPieceBytes, alignment: 4096)
        streams[place].piece = piece
        streams[place].filled = 0
        let wanted = min(
            UInt64(max(stream.wantedBytes, Int(reference.recordBytes))),
            reader.recordsEnd - reference.offset, UInt64(piece.count))
        let target = UnsafeMutableRawBufferPointer(rebasing: piece[0..<Int(wanted)])
        let got = try reader.file.readFully(into: target, at: reference.offset)
        guard got >= Int(reference.recordBytes) else {
            throw reader.damaged(reference, "is cut off by the file's end")
        }
        streams[place].start = reference.offset
        streams[place].filled = got
        streams[place].wantedBytes = min(stream.wantedBytes * 2, Self.largestPieceBytes)
    }
}
