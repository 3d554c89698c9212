extension TableExaminer {
    /// Takes tables out of the version for good, all at once, and puts what of them can be read in their place.
    func replace(_ entries: [CorruptionReport.Entry]) throws(StorageError) {
        var edit = VersionEdit()
        var outputs: [TableOutput] = []
        do throws(StorageError) {
            for entry in entries {
                guard let (file, level) = records.version.file(entry.file) else { continue }
                edit.removed.append(.init(level: level, number: file.number))
                // More may be damaged by now than was when it was recorded.
                let damage = try file.survey()
                if damage?.isWhole ?? false { continue }
                let lost = damage?.losses.compactMap(\.keys) ?? []
                let output = try salvage(file, level: level, lost)
                outputs.append(output)
                edit.added += output.finished.map {
                    .init(level: $0.kind == .blob ? 0 : level, file: $0)
                }
            }
        } catch {
            for output in outputs { output.abandon() }
            throw error
        }
        // A failed edit leaves the tables behind: whether it is durable is unknown, so they stay.
        try records.versions.apply(edit) { records.tree.install($0) }
    }

    /// Writes every version of the keys outside `lost`, and all range tombstones, into tables of their own:
    /// they cover no key that the old table does not.
    private func salvage(
        _ file: TableFile, level: Int, _ lost: [KeyRange]
    ) throws(StorageError) -> TableOutput {
        let reader = try records.store.open(file.metadata, usesCache: false)
        defer { try? reader.close() }
        var blobs = BlobOutput.Options(options, codec: options.compression)
        blobs.source = records.version.blobs
        let targetBytes = level == 0 ? UInt64.max : options.targetFileByteCount
        let output = TableOutput(
            store: records.store,
            options: .init(
                table: options.tableOptions, targetBytes: targetBytes,
                flushEpoch: file.metadata.flushEpoch, blobs: blobs,
                catalogLimit: options.catalogStorageLimit),
            random: random, tombstones: reader.rangeTombstones,
            allocateNumber: records.versions.allocateFileNumber)
        do throws(StorageError) {
            for range in Self.sound(beside: lost) {
                var copy = VersionCollapse(
                    safepoint: .zero, deeper: .unknown, tombstones: [], grandparents: nil,
                    targetBytes: targetBytes)
                copy.range = range
                try copy.copy(
                    from: reader.makeIterator(TableScan(fillCache: false, range: range)),
                    to: output)
            }
            _ = try output.finish()
        } catch {
            output.abandon()
            throw error
        }
        return output
    }

    /// What is left of all keys without `lost`, which rise.
    static func sound(beside lost: [KeyRange]) -> [KeyRange] {
        var sound: [KeyRange] = []
        var lower: [UInt8]?
        for range in lost {
            sound.append(KeyRange(lower: lower, upper: range.lower))
            lower = range.upper
        }
        sound.append(KeyRange(lower: lower, upper: nil))
        return sound.filter { range in
            guard let lower = range.lower, let upper = range.upper else { return true }
            return KeyOrder.less(lower, upper)
        }
    }
}
