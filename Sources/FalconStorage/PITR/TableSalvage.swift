/// Brings the tables and blob files of a damaged directory over to a new one, as much of them as is sound.
///
/// A damaged block's keys are deleted in the new table at the old table's newest timestamp, and a version whose
/// large value cannot be read becomes a deletion: what lies deeper of them is older than what is lost, and must
/// not pass for the row's last state. What is newer stays.
struct TableSalvage {
    let source: TableStore
    let target: TableStore
    let random: any StorageRandom
    /// Tells the catalog's tables, which have a key of their own, from the rows'.
    let catalogLimit: UInt32
    /// Copies a file byte for byte and checks it against MANIFEST's hash.
    let copy: (VersionEdit.Addition) throws(StorageError) -> Void
    /// Damaged blob files; nil for one of which nothing can be read.
    private(set) var damagedBlobs: [FileNumber: BlobReader?] = [:]
    private var soundBlobs: [FileNumber: FileMetadata] = [:]
    private(set) var losses: [SalvageLoss] = []

    init(
        from source: TableStore, to target: TableStore, random: any StorageRandom,
        catalogLimit: UInt32,
        copy: @escaping (VersionEdit.Addition) throws(StorageError) -> Void
    ) {
        self.source = source
        self.target = target
        self.random = random
        self.catalogLimit = catalogLimit
        self.copy = copy
    }

    func close() {
        for case let reader? in damagedBlobs.values { try? reader.close() }
    }

    /// Blob files first: what tables refer to decides whether they can be copied.
    /// - Returns: true when the file was copied; values of a damaged one go into the tables.
    mutating func bring(blob addition: VersionEdit.Addition) throws(StorageError) -> Bool {
        do throws(StorageError) {
            try copySound(addition)
            soundBlobs[addition.file.number] = addition.file
            return true
        } catch  where error.isLoss || error.code == .notFound {
            var reader: BlobReader?
            do throws(StorageError) {
                reader = try source.openBlob(addition.file, usesCache: false)
            } catch  where error.isLoss {}
            damagedBlobs.updateValue(reader, forKey: addition.file.number)
            return false
        }
    }

    /// - Returns: the tables that take its place, at its level.
    mutating func bring(
        table addition: VersionEdit.Addition
    ) throws(StorageError) -> [VersionEdit.Addition] {
        let file = addition.file
        let reader: TableReader
        do throws(StorageError) {
            reader = try source.open(file, usesCache: false)
        } catch  where error.isLoss {
            return try bringNothing(of: addition, because: error)
        }
        defer { try? reader.close() }
        let damage = try reader.survey(countsUnreadable: true)
        if damage == nil, !file.blobUses.contains(where: { damagedBlobs.keys.contains($0.file) }) {
            do throws(StorageError) {
                try copySound(addition)
                return [addition]
            } catch  where error.isLoss {
                // Every block is sound: what is damaged lies between them, or was there before they were proven.
                let witness = TableWitness(source: source, blobs: soundBlobs)
                if let problem = try witness.problem(reader, file) {
                    return try bringNothing(of: addition, because: problem)
                }
            }
        }
        let lost = (damage?.losses ?? []).compactMap { loss in loss.keys.map { (loss, $0) } }
        for (loss, keys) in lost {
            losses.append(
                SalvageLoss(
                    path: source.path(of: file), level: addition.level, offset: loss.offset,
                    byteCount: loss.byteCount, keys: keys, rowCount: nil,
                    reason: "A block of the table cannot be read."))
        }
        return try rewrite(addition, reader, without: lost.map(\.1))
    }

    private func copySound(_ addition: VersionEdit.Addition) throws(StorageError) {
        do throws(StorageError) {
            try copy(addition)
        } catch {
            let partial = target.path(of: addition.file)
            if try target.fileSystem.exists(partial) { try target.fileSystem.remove(partial) }
            throw error
        }
    }

    // MARK: - What is left of a table

    private mutating func bringNothing(
        of addition: VersionEdit.Addition, because error: StorageError
    ) throws(StorageError) -> [VersionEdit.Addition] {
        let file = addition.file
        let upper = file.largestIsExclusive ? file.largest : file.largest + [0]
        let keys = KeyRange(lower: file.smallest, upper: upper)
        losses.append(
            SalvageLoss(
                path: source.path(of: file), level: addition.level, offset: nil, byteCount: nil,
                keys: keys, rowCount: nil,
                reason: error.message + (error.cause.map { " (\($0))" } ?? "")))
        return try finish(output(addition, Self.tombstones([keys], file.maxTimestamp)), addition)
    }

    private static func tombstones(
        _ lost: [KeyRange], _ timestamp: Timestamp
    ) -> [RangeTombstone] {
        lost.compactMap { range in
            guard let lower = range.lower, let upper = range.upper, KeyOrder.less(lower, upper)
            else { return nil }
            return RangeTombstone(lower: lower, upper: upper, timestamp: timestamp)
        }
    }

    private func output(
        _ addition: VersionEdit.Addition, _ tombstones: [RangeTombstone]
    ) -> TableOutput {
        TableOutput(
            store: target,
            options: .init(
                table: TableOptions(), targetBytes: .max, flushEpoch: addition.file.flushEpoch,
                keyCatalogLimit: catalogLimit),
            random: random, tombstones: tombstones, allocateNumber: { addition.file.number })
    }

    private func finish(
        _ output: TableOutput, _ addition: VersionEdit.Addition
    ) throws(StorageError) -> [VersionEdit.Addition] {
        do throws(StorageError) {
            return try output.finish().map { .init(level: addition.level, file: $0) }
        } catch {
            output.abandon()
            throw error
        }
    }

    private mutating func rewrite(
        _ addition: VersionEdit.Addition, _ reader: TableReader, without lost: [KeyRange]
    ) throws(StorageError) -> [VersionEdit.Addition] {
        let output = output(
            addition,
            reader.rangeTombstones + Self.tombstones(lost, addition.file.maxTimestamp))
        var values = ValueSalvage(damagedBlobs)
        do throws(StorageError) {
            for range in TableExaminer.sound(beside: lost) {
                try transfer(range, of: reader, to: output, &values)
            }
        } catch {
            output.abandon()
            throw error
        }
        for row in values.lost {
            losses.append(
                SalvageLoss(
                    path: source.names.blob(row.blob), level: addition.level, offset: row.offset,
                    byteCount: nil, keys: row.keys, rowCount: row.count,
                    reason: "A value in the blob file cannot be read."))
        }
        return try finish(output, addition)
    }

    private func transfer(
        _ range: KeyRange, of reader: TableReader, to output: TableOutput,
        _ values: inout ValueSalvage
    ) throws(StorageError) {
        let entries = reader.makeIterator(TableScan(fillCache: false, range: range))
        if let lower = range.lower {
            var start = RawBuffer()
            defer { start.deallocate() }
            lower.withUnsafeBytes { start.assign($0) }
            try entries.seek(start.bytes, .max)
        } else {
            try entries.seekToFirst()
        }
        while entries.isValid {
            let key = entries.userKey
            let isBehind = range.upper.map { upper in
                upper.withUnsafeBytes { KeyOrder.compare(key, $0) >= 0 }
            }
            if isBehind ?? false { return }
            if entries.kind == .valueReference {
                try values.add(key, entries.timestamp, entries.value, to: output)
            } else {
                values.endRun()
                try output.add(
                    key: key, timestamp: entries.timestamp, kind: entries.kind,
                    value: entries.value)
            }
            try entries.next()
        }
        values.endRun()
    }
}

extension StorageError {
    /// A salvage goes on without what failed so: it is damaged, the device does not give it, or its key is gone.
    var isLoss: Bool { code == .corruption || code == .io || code == .keyMissing }
}
