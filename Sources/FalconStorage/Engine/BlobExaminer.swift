/// Records damaged blob files.
///
/// A damaged blob file stays in service; the record tells of it, and keeps collection from trying again and
/// again to move what cannot be read.
struct BlobExaminer {
    let records: DamageRecords

    /// Whether the file is to be looked into; it is not collected meanwhile.
    func begin(_ number: FileNumber) -> Bool {
        guard let file = records.version.blobs.file(number), file.quarantine == nil else {
            return false
        }
        file.setDamaged(true)
        return true
    }

    /// Nobody looks into it after all.
    func drop(_ number: FileNumber) { records.version.blobs.file(number)?.setDamaged(false) }

    func examine(_ suspicion: Suspicion) throws(StorageError) {
        // Collected meanwhile: nobody reads it any more.
        guard let file = records.version.blobs.file(suspicion.file), file.quarantine == nil
        else { return }
        do throws(StorageError) {
            guard try isDamaged(file) else {
                file.setDamaged(false)
                return records.events.send(.damageNotRepeated(suspicion.error))
            }
            let record = QuarantineRecord(
                suspicion.error, file: file.number, finder: suspicion.finder,
                wallMicros: records.clock.wallMicros())
            try records.add(record)
            file.setQuarantine(record)
        } catch {
            file.setDamaged(false)
            file.rest()
            throw error
        }
        records.onChange()
        let report = records.version.blobs.corruptionReport(records.store.names)
        if let entry = report.first(where: { $0.file == file.number }) {
            records.events.send(.blobDamaged(entry))
        }
    }

    private func isDamaged(_ file: BlobFile) throws(StorageError) -> Bool {
        do throws(StorageError) {
            try file.readWhole()
            return false
        } catch  where error.code == .corruption {
            return true
        }
    }

    // MARK: - Ways out

    /// Reads the recorded files whole; those that are sound are recorded no more.
    func recheck() throws(StorageError) -> [FileNumber] {
        var sound: [FileNumber] = []
        defer { if !sound.isEmpty { records.onChange() } }
        for entry in records.version.blobs.entries where entry.file.quarantine != nil {
            if try isDamaged(entry.file) { continue }
            try release(entry.file)
            sound.append(entry.file.number)
        }
        return sound
    }

    /// What of the files is sound moves elsewhere, and the files go.
    func giveUp(_ numbers: [FileNumber]) throws(StorageError) {
        defer { records.onChange() }
        for number in numbers {
            guard let file = records.version.blobs.file(number) else { continue }
            try release(file)
            file.giveUp()
        }
    }

    private func release(_ file: BlobFile) throws(StorageError) {
        try records.remove(file.number)
        file.setQuarantine(nil)
    }
}
