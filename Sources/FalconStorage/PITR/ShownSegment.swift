/// An archived segment in its place in a log that is put together of several directories' logs: a restored directory
/// counts its segments anew, and its first one names no predecessor.
struct ShownSegment: Sendable {
    let segment: ArchivedSegment
    /// The number that it is shown under.
    let number: WALSegmentNumber
    /// The predecessor that its header is shown with.
    let predecessor: WALContinuation.Predecessor?

    /// - Parameter previous: what comes before it; nil: nothing does.
    init(_ segment: ArchivedSegment, after previous: ShownSegment?) {
        self.segment = segment
        let named = segment.footer.predecessor
        guard let previous else {
            number = segment.segment
            predecessor = named
            return
        }
        let isNamed = named?.uid == previous.segment.uid
        let isRenumbered = previous.number != previous.segment.segment
        number = isNamed && !isRenumbered ? segment.segment : previous.number.successor
        // Where what was named ends is for the name to say: one that falls short is damage.
        let end = isNamed ? named?.lastLSN : nil
        predecessor = WALContinuation.Predecessor(
            segment: previous.number, uid: previous.segment.uid,
            lastLSN: end ?? previous.segment.lastLSN)
    }

    /// Its bytes are those that were archived.
    private var isAsArchived: Bool {
        number == segment.segment && predecessor == segment.footer.predecessor && segment.isWhole
    }

    func open(
        shownAs path: String, _ fileSystem: any FileSystem, readahead: FrameReadahead?
    ) throws(StorageError) -> any File {
        let file = try ArchivedSegmentFile(
            segment.path, shownAs: path, fileSystem, readahead: readahead)
        if isAsArchived { return file }
        do throws(StorageError) {
            return ShownSegmentFile(base: file, head: try head(of: file))
        } catch {
            try? file.close()
            throw error
        }
    }

    /// The header as it is shown; a damaged one as it is.
    private func head(of file: any File) throws(StorageError) -> [UInt8] {
        let count = min(try file.size(), UInt64(WALFormat.headerBytes))
        let bytes = try file.readExactly(Int(count), at: 0)
        guard case .header(var header) = WALSegmentHeader.decode(bytes) else { return bytes }
        header.chunkSegment = header.segment
        header.segment = number
        header.predecessor = predecessor
        header.cutLSN = segment.isWhole ? nil : segment.lastLSN
        return header.encoded()
    }
}
