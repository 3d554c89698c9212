/// Takes damaged tables out of service, and back.
struct TableExaminer {
    let records: DamageRecords

    /// Whether the table is in the version and in service.
    func concerns(_ number: FileNumber) -> Bool {
        records.version.file(number).map { $0.file.quarantine == nil } ?? false
    }

    func examine(_ suspicion: Suspicion) throws(StorageError) {
        // Compacted away meanwhile: nobody reads it any more.
        guard let (file, level) = records.version.file(suspicion.file), file.quarantine == nil
        else { return }
        do throws(StorageError) {
            try file.readWhole()
        } catch  where error.code == .corruption {
            let record = try records.add(suspicion)
            file.setQuarantine(record)
            records.onChange()
            return records.events.send(
                .quarantined(
                    CorruptionReport.Entry(
                        file, record, level: level, names: records.store.names)))
        }
        records.events.send(.damageNotRepeated(suspicion.error))
    }

    // MARK: - Ways out

    /// Reads the quarantined tables whole and puts back into service those that are sound.
    func recheck() throws(StorageError) -> [FileNumber] {
        var sound: [FileNumber] = []
        defer { if !sound.isEmpty { records.onChange() } }
        for level in records.version.levels {
            for file in level.files where file.quarantine != nil {
                do throws(StorageError) {
                    try file.readWhole()
                } catch  where error.code == .corruption {
                    continue
                }
                try records.remove(file.number)
                file.setQuarantine(nil)
                sound.append(file.number)
            }
        }
        return sound
    }

    /// Takes quarantined tables out of the version for good.
    func drop(_ numbers: [FileNumber]?) throws(StorageError) -> CorruptionReport {
        let all = records.version.corruptionReport(records.store.names)
        var dropped = CorruptionReport()
        dropped.entries = all.entries.filter { numbers?.contains($0.file) ?? true }
        if let missing = numbers?.first(where: { number in
            !dropped.entries.contains { $0.file == number }
        }) {
            throw .invalidArgument(
                "Table \(FileNames.hex(missing.rawValue)) is not quarantined.",
                hint: "corruptionReport() lists those that are.")
        }
        guard !dropped.isEmpty else { return dropped }
        var edit = VersionEdit()
        edit.removed = dropped.entries.map { .init(level: $0.level, number: $0.file) }
        try records.versions.apply(edit) { records.tree.install($0) }
        records.onChange()
        return dropped
    }
}
