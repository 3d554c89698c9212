/// Reads the entries of a table one after the other, past damage, without changing the file.
public struct TableEntries {
    /// An entry, or a range tombstone. Its bytes live until the next.
    public struct Entry {
        /// The user key; of a range tombstone the key it begins with.
        public var key: UnsafeRawBufferPointer
        /// Its commit; in an ingested file that of the ingestion.
        public var timestamp: Timestamp
        /// A put, a delete, a range delete, or a reference to a blob file.
        public var kind: OperationKind
        /// Of a range tombstone: the key before which it ends.
        public var value: UnsafeRawBufferPointer
        /// Where the entry's block begins in the file.
        public var blockOffset: UInt64
        /// Where the entry begins in its block, decompressed.
        public var offsetInBlock: Int
        /// Where the value lies in a blob file; nil: here, or nowhere.
        public var place: ValuePlace?
    }

    /// Where a large value lies.
    public struct ValuePlace: Sendable, Hashable {
        /// The number of the blob file.
        public var file: UInt64
        /// Where its record begins in that file.
        public var offset: UInt64
        /// Bytes of the record as it lies there.
        public var recordBytes: UInt32
        /// Bytes of the value itself.
        public var valueBytes: UInt32
    }

    private let blocks: TableBlockReader
    private let lower: [UInt8]
    private let upper: [UInt8]?
    private let ingested: Timestamp?
    private let report: (TableFinding) -> Void
    private let cursor = KeyCursor()

    /// Calls `body` with the range tombstones of a table that reach into a range of keys, and with the entries
    /// in it, in the table's order, until it returns false. What is damaged is reported and passed over.
    /// - Parameters:
    ///   - upper: the first key beyond the range; nil: there is none.
    ///   - ingested: of an ingested table the timestamp of all of its entries.
    ///   - report: told of damage.
    public static func read(
        _ file: any File, keyring: (any FileKeyring)?, from lower: [UInt8], to upper: [UInt8]?,
        ingested: Timestamp? = nil, report: (TableFinding) -> Void, body: (Entry) -> Bool
    ) throws(StorageError) {
        let size = try file.size()
        guard size >= UInt64(TableFormat.headerBytes + TableFormat.footerBytes) else {
            throw .corruption("The file is too short for a table.", path: file.path, offset: 0)
        }
        let tail = try file.readExactly(
            TableFormat.footerBytes, at: size - UInt64(TableFormat.footerBytes))
        let footer = try TableReader.decodeFooter(tail, size, file.path)
        var blocks = TableBlockReader(file: file, footer: footer)
        if footer.isSealed {
            guard let keys = keyring as? FileKeys else {
                let envelope = try TableHeader.envelope(file, uid: footer.uid)
                throw FileKeys.missing(envelope.keyID, file.path)
            }
            blocks.cipher = try TableReader.cipher(file, footer, keys)
        }
        try withoutActuallyEscaping(report) { report throws(StorageError) in
            do throws(StorageError) {
                try loadDictionary(&blocks)
            } catch  where error.code == .corruption {
                report(finding(error))
            }
            let entries = TableEntries(
                blocks: blocks, lower: lower, upper: upper, ingested: ingested, report: report)
            guard try entries.readTombstones(body) else { return }
            try entries.readIndex(body)
        }
    }

    private static func loadDictionary(_ blocks: inout TableBlockReader) throws(StorageError) {
        var pin = BlockPin()
        try blocks.load(blocks.footer.properties, .properties, &pin)
        guard let properties = TableProperties.decode(pin.bytes) else {
            throw blocks.damaged(blocks.footer.properties, .properties, "cannot be decoded")
        }
        try blocks.loadDictionary(properties)
    }

    private static func finding(
        _ error: StorageError, _ handle: BlockHandle? = nil, lower: [UInt8]? = nil,
        upper: [UInt8]? = nil
    ) -> TableFinding {
        TableFinding(
            error.code == .corruption ? .blockDamaged : .unreadable, error.message,
            offset: error.location?.offset ?? handle?.offset,
            length: handle.map { $0.end - $0.offset }, actual: error.cause, lowerKey: lower,
            upperKey: upper)
    }

    /// Loads a block; false: it cannot be read, and that is reported.
    private func load(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ pin: inout BlockPin,
        lower: [UInt8]? = nil, upper: [UInt8]? = nil
    ) -> Bool {
        do throws(StorageError) {
            try blocks.load(handle, kind, &pin)
            return true
        } catch {
            report(Self.finding(error, handle, lower: lower, upper: upper))
            return false
        }
    }

    // MARK: - Walking

    private func readTombstones(_ body: (Entry) -> Bool) throws(StorageError) -> Bool {
        let handle = blocks.footer.rangeTombstones
        var pin = BlockPin()
        guard !handle.isAbsent, load(handle, .rangeTombstones, &pin) else { return true }
        guard let list = RangeTombstoneBlock.decode(pin.bytes) else {
            report(
                Self.finding(blocks.damaged(handle, .rangeTombstones, "cannot be decoded"), handle))
            return true
        }
        for tombstone in list {
            guard KeyOrder.less(lower, tombstone.upper),
                upper.map({ KeyOrder.less(tombstone.lower, $0) }) ?? true
            else { continue }
            let goesOn = tombstone.lower.withUnsafeBytes { lower in
                tombstone.upper.withUnsafeBytes { upper in
                    body(
                        Entry(
                            key: lower, timestamp: ingested ?? tombstone.timestamp,
                            kind: .rangeDelete, value: upper, blockOffset: handle.offset,
                            offsetInBlock: 0))
                }
            }
            guard goesOn else { return false }
        }
        return true
    }

    private func readIndex(_ body: (Entry) -> Bool) throws(StorageError) {
        var pin = BlockPin()
        guard !blocks.footer.index.isAbsent, load(blocks.footer.index, .index, &pin) else { return }
        let isTop = blocks.footer.indexLevels == 2
        _ = walk(IndexBlock(validated: pin.bytes), after: nil, isTop: isTop, body)
        pin.release()
    }

    /// Walks the children that may hold keys of the range; false: no more are wanted.
    private func walk(
        _ index: IndexBlock, after first: [UInt8]?, isTop: Bool, _ body: (Entry) -> Bool
    ) -> Bool {
        var before = first
        for place in 0..<index.count {
            let separator = Array(index.key(place))
            defer { before = separator }
            // A child's keys are not after its separator, and not before the one ahead of it.
            if KeyOrder.less(separator, lower) { continue }
            if let before, let upper, !KeyOrder.less(before, upper) { return true }
            var pin = BlockPin()
            let handle = index.handle(place)
            guard load(handle, isTop ? .index : .data, &pin, lower: before, upper: separator)
            else { continue }
            let goesOn =
                isTop
                ? walk(IndexBlock(validated: pin.bytes), after: before, isTop: false, body)
                : walk(DataBlock(validated: pin.bytes), handle, body)
            pin.release()
            guard goesOn else { return false }
        }
        return true
    }

    private func walk(
        _ block: DataBlock, _ handle: BlockHandle, _ body: (Entry) -> Bool
    ) -> Bool {
        var offset = 0
        while offset < block.end {
            let raw = block.entry(at: offset)
            cursor.advance(to: raw)
            let place = offset
            offset = block.offset(after: raw)
            guard isWanted(cursor.bytes), let kind = OperationKind(rawValue: raw.kind) else {
                continue
            }
            var entry = Entry(
                key: cursor.bytes, timestamp: ingested ?? Timestamp(raw.timestamp), kind: kind,
                value: UnsafeRawBufferPointer(start: raw.value, count: raw.valueLength),
                blockOffset: handle.offset, offsetInBlock: place)
            if kind == .valueReference, let reference = BlobReference(entry.value) {
                entry.place = ValuePlace(
                    file: reference.file, offset: reference.offset,
                    recordBytes: reference.recordBytes, valueBytes: reference.valueBytes)
            }
            guard body(entry) else { return false }
        }
        return true
    }

    private func isWanted(_ key: UnsafeRawBufferPointer) -> Bool {
        lower.withUnsafeBytes { KeyOrder.compare($0, key) <= 0 }
            && (upper.map { $0.withUnsafeBytes { KeyOrder.compare(key, $0) < 0 } } ?? true)
    }
}
