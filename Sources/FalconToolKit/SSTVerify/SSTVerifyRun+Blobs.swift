import FalconStorage

extension SSTVerifyRun {
    /// Checks the blob files of a directory, before the tables: references into damaged ones are
    /// followed whole.
    mutating func checkBlobs(_ directory: TableDirectory, _ names: FileNames) throws(StorageError) {
        for blob in directory.blobs {
            if report.context.shouldStop { break }
            guard try fileSystem.exists(blob.path) else {
                // Beside a live server: did it go meanwhile?
                let now = try TableDirectory.read(names, fileSystem)
                if now.blobs.contains(where: { $0.number == blob.number }) {
                    damaged += 1
                    damagedBlobs.insert(blob.number)
                    report.add(
                        Finding(
                            .blobMissing, "MANIFEST names a blob file that is not there.",
                            file: blob.path,
                            blastRadius: "\(blob.liveRecords) large values"))
                }
                continue
            }
            verifyBlob(blob.path, blob)
        }
    }

    mutating func verifyBlob(_ path: String, _ blob: TableDirectory.Blob?) {
        let result: BlobVerification
        do throws(StorageError) {
            let file = try fileSystem.open(path, .read)
            result = BlobVerifier.verify(
                file, expected: blob, findingLimit: options.maxFindings,
                keyring: fileSystem.keyring)
            try file.close()
        } catch {
            damaged += 1
            return report.add(error)
        }
        blobs += 1
        if result.isEncrypted, fileSystem.keyring == nil { hidden = true }
        bytes += result.fileBytes
        liveBytes += blob?.liveBytes ?? 0
        garbageBytes += blob?.garbageBytes ?? 0
        let findings = result.findings.count + result.suppressedFindings
        if findings > 0 {
            damaged += 1
            if let blob { damagedBlobs.insert(blob.number) }
        }
        progress.end()
        report.record(
            [
                ("file", .string(path)),
                ("number", .text(blob.map { FileNames.hex($0.number.rawValue) })),
                ("level", .null), ("uid", .text(result.uid)),
                ("bytes", .unsigned(result.fileBytes)),
                ("entries", .unsigned(result.checkedRecords)), ("tombstones", .null),
                ("range_tombstones", .null), ("blocks", .null), ("min_timestamp", .null),
                ("max_timestamp", .null), ("findings", .count(findings)),
                ("kind", .string("blob")),
                ("live_bytes", blob.map { .unsigned($0.liveBytes) } ?? .null),
                ("garbage_bytes", blob.map { .unsigned($0.garbageBytes) } ?? .null),
            ],
            text: "\(path): \(result.fileBytes) bytes, \(result.checkedRecords) values"
                + (blob.map { ", \($0.garbageBytes) bytes of garbage" } ?? "") + ": "
                + (findings == 0 ? "ok" : "\(findings) findings"))
        add(result.findings, path)
    }
}
