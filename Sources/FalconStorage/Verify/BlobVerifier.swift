/// Checks a blob file against itself and against MANIFEST, past any damage, without changing it.
public struct BlobVerifier {
    private let file: any File
    private let expected: TableDirectory.Blob?
    private let findingLimit: Int
    private var result = BlobVerification()
    private var footer: BlobFooter?
    private var keys: FileKeys?
    private var cipher: FileCipher?
    private var keyBytes: UInt64 = 0
    private var isDamaged = false
    private var plan = VerificationPlan()

    /// Checks everything that can be reached.
    /// - Parameters:
    ///   - expected: what MANIFEST says; nil when there is none.
    ///   - findingLimit: findings kept; more are counted.
    ///   - keyring: opens encrypted records; without it what is clear of them is checked.
    ///   - plan: how much is checked. A quick check leaves the records out of a file whose hash is as MANIFEST says.
    public static func verify(
        _ file: any File, expected: TableDirectory.Blob? = nil, findingLimit: Int = 1000,
        keyring: (any FileKeyring)? = nil, plan: VerificationPlan = .init()
    ) -> BlobVerification {
        var verifier = BlobVerifier(file: file, expected: expected, findingLimit: findingLimit)
        verifier.keys = keyring as? FileKeys
        verifier.plan = plan
        do throws(StorageError) { try verifier.run() } catch { verifier.report(error) }
        return verifier.result
    }

    private init(file: any File, expected: TableDirectory.Blob?, findingLimit: Int) {
        self.file = file
        self.expected = expected
        self.findingLimit = findingLimit
    }

    private mutating func report(_ finding: TableFinding) {
        isDamaged = true
        if result.findings.count < findingLimit {
            result.findings.append(finding)
        } else {
            result.suppressedFindings += 1
        }
    }

    private mutating func report(_ error: StorageError) {
        let code: TableFindingCode =
            switch error.code {
            case .corruption: .blobFrameDamaged
            case .unsupportedFormat: .unsupportedFormat
            case .keyMissing: .keyMissing
            default: .unreadable
            }
        report(TableFinding(code, error.message, offset: error.location?.offset))
    }

    private mutating func run() throws(StorageError) {
        result.fileBytes = try file.size()
        compareSize()
        guard result.fileBytes >= BlobFormat.frameBytes else {
            throw .corruption("The file is too short for a blob file.", path: file.path, offset: 0)
        }
        do throws(StorageError) {
            let head = try file.readExactly(BlobFormat.headerBytes, at: 0)
            let (uid, isSealed) = try BlobHeader.read(head, path: file.path)
            result.uid = uid
            result.isEncrypted = isSealed
            if isSealed { try openKey(uid) }
        } catch { report(error) }
        let end = result.fileBytes - UInt64(BlobFormat.footerBytes)
        do throws(StorageError) {
            let tail = try file.readExactly(BlobFormat.footerBytes, at: end)
            footer = try BlobFooter.decode(tail, size: result.fileBytes, path: file.path)
        } catch { report(error) }
        compareUID()
        // Without a header the footer or MANIFEST tells what the checksums are bound to.
        guard let uid = result.uid ?? footer?.uid ?? expected?.uid else { return }
        if result.uid == nil { readEnvelope(uid) }
        var hash: TableFinding?
        var failure: StorageError?
        do throws(StorageError) { hash = try checkHash() } catch { failure = error }
        if plan.isQuick, hash == nil, failure == nil, expected?.fileHash != nil, let footer {
            result.checkedRecords = footer.recordCount
            result.valueBytes = footer.valueBytes
            return compareWithManifest(footer)
        }
        try walk(uid, to: end)
        compareCounts()
        if let failure { throw failure }
        if let hash { report(hash) }
    }

    /// The check is to end before it is through.
    private mutating func isStopped() -> Bool {
        guard plan.pace?.isStopped == true else { return false }
        result.isPartial = true
        return true
    }

    private mutating func openKey(_ uid: UID) throws(StorageError) {
        let envelope = try BlobHeader.envelope(file, uid: uid)
        guard let keys else { return }
        cipher = try keys.cipher(.blob, envelope, uid: uid, path: file.path)
    }

    /// Without a header only what lies behind it tells whether the records are encrypted.
    private mutating func readEnvelope(_ uid: UID) {
        do throws(StorageError) {
            let envelope = try BlobHeader.envelope(file, uid: uid)
            result.isEncrypted = true
            cipher = try keys?.cipher(.blob, envelope, uid: uid, path: file.path)
        } catch {
            // There is none: the header's own finding says what can be said.
        }
    }

    // MARK: - Records

    /// A damaged record's size cannot be trusted: it is believed when a sound record follows.
    private mutating func walk(_ uid: UID, to end: UInt64) throws(StorageError) {
        var records = BlobRecordWalk(
            file, uid: uid, end: end, isSealed: result.isEncrypted, cipher: cipher)
        defer {
            result.checkedRecords = records.recordCount
            result.valueBytes = records.valueBytes
            keyBytes = records.keyBytes
        }
        var isTrusted = true
        while !isStopped() {
            switch try records.next() {
            case .end: return
            case .sound: isTrusted = true
            case .damaged(let why, let next):
                if isTrusted {
                    damaged(records.offset, why, length: next.map { $0 - records.offset })
                }
                guard isTrusted, let next else { return reportRest(records.offset, end) }
                isTrusted = false
                records.skip(to: next)
            }
        }
    }

    private mutating func reportRest(_ offset: UInt64, _ end: UInt64) {
        report(
            TableFinding(
                .blobRecordDamaged,
                "What follows the damaged record cannot be walked; the tables' references "
                    + "tell which values are lost.",
                offset: offset, length: end - offset))
    }

    private mutating func damaged(_ offset: UInt64, _ why: String, length: UInt64? = nil) {
        report(
            TableFinding(
                .blobRecordDamaged, "A blob record \(why).", offset: offset, length: length))
    }

    // MARK: - The whole

    private mutating func compare(
        _ name: String, _ code: TableFindingCode, expected: String, actual: String
    ) {
        if expected == actual { return }
        report(
            TableFinding(
                code, "The \(name) is not what it should be.", expected: expected, actual: actual))
    }

    private mutating func compareSize() {
        guard let expected else { return }
        compare(
            "file's size", .blobManifest, expected: "\(expected.fileBytes)",
            actual: "\(result.fileBytes)")
    }

    private mutating func compareUID() {
        if let uid = result.uid, let footer, footer.uid != uid {
            compare(
                "footer's uid", .blobFrameDamaged, expected: "\(uid)", actual: "\(footer.uid)")
        }
        if let expected, let uid = result.uid ?? footer?.uid {
            compare("uid", .blobManifest, expected: "\(expected.uid)", actual: "\(uid)")
        }
    }

    private mutating func compareCounts() {
        // What damage hides cannot be counted.
        guard !isDamaged, !result.isPartial, let footer else { return }
        compare(
            "count of records", .blobCounts, expected: "\(footer.recordCount)",
            actual: "\(result.checkedRecords)")
        compare(
            "count of key bytes", .blobCounts, expected: "\(footer.keyBytes)",
            actual: "\(keyBytes)")
        compare(
            "count of value bytes", .blobCounts, expected: "\(footer.valueBytes)",
            actual: "\(result.valueBytes)")
        compareWithManifest(footer)
    }

    private mutating func compareWithManifest(_ footer: BlobFooter) {
        guard let expected else { return }
        compare(
            "count of records", .blobManifest, expected: "\(expected.recordCount)",
            actual: "\(footer.recordCount)")
        if expected.liveRecords > footer.recordCount {
            compare(
                "count of records that tables refer to", .blobManifest,
                expected: "\(footer.recordCount) at most", actual: "\(expected.liveRecords)")
        }
    }

    /// Streams the file through XXH3; what is wrong with it, when MANIFEST knows its hash.
    private mutating func checkHash() throws(StorageError) -> TableFinding? {
        let reader = SequentialReader(
            file, size: result.fileBytes, hashes: expected?.fileHash != nil, pace: plan.pace)
        let digest = try reader.finish()
        guard let wanted = expected?.fileHash, let digest, digest != wanted, !isStopped() else {
            return nil
        }
        return TableFinding(
            .blobHash, "The file's hash is not MANIFEST's.",
            expected: String(wanted, radix: 16), actual: String(digest, radix: 16))
    }
}
