extension RecoveryValidation {
    /// A blob file that is missing or cut is recorded, and the rest of the directory served: only its values
    /// cannot be read. One that was damaged and is sound again is recorded no more. Beside a live writer, which may
    /// have taken the file away for a good reason, nothing is looked at.
    func checkBlobs(_ blobs: BlobFiles) throws(StorageError) {
        guard let wallMicros else { return }
        for entry in blobs.entries {
            let file = entry.file
            do throws(StorageError) {
                if file.quarantine == nil {
                    try file.checkPresence()
                } else {
                    try file.readWhole()
                    file.setQuarantine(nil)
                }
            } catch  where error.code == .corruption {
                if file.quarantine != nil { continue }
                file.setQuarantine(
                    QuarantineRecord(
                        error, file: file.number, finder: .open, wallMicros: wallMicros))
            } catch {
                // A device that does not answer now may answer later: whoever needs a value is told.
            }
        }
    }
}
