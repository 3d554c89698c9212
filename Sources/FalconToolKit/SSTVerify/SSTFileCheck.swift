import FalconStorage

/// One file that is to be checked.
enum SSTFile: Sendable {
    case table(String, TableDirectory.Table?)
    case blob(String, TableDirectory.Blob?)

    var path: String {
        switch self {
        case .table(let path, _), .blob(let path, _): path
        }
    }

    /// By what MANIFEST says; nil: it says nothing.
    var expectedBytes: UInt64? {
        switch self {
        case .table(_, let table): table?.expected.fileBytes
        case .blob(_, let blob): blob?.fileBytes
        }
    }
}

/// Checks files, each on whatever thread.
struct SSTFileCheck: Sendable {
    enum Outcome: Sendable {
        case table(TableVerification)
        case blob(BlobVerification)
        /// There is no such file.
        case missing
        case failed(StorageError)

        /// It was read whole, and nothing is wrong with it.
        var isClean: Bool {
            switch self {
            case .table(let result):
                result.isClean && result.suppressedFindings == 0 && !result.isPartial
            case .blob(let result):
                result.isClean && result.suppressedFindings == 0 && !result.isPartial
            case .missing, .failed: false
            }
        }

        var isEncrypted: Bool {
            switch self {
            case .table(let result): result.isEncrypted
            case .blob(let result): result.isEncrypted
            case .missing, .failed: false
            }
        }

        /// It was ended before it was through.
        var isPartial: Bool {
            switch self {
            case .table(let result): result.isPartial
            case .blob(let result): result.isPartial
            case .missing, .failed: false
            }
        }
    }

    let fileSystem: any FileSystem
    let findingLimit: Int
    let plan: VerificationPlan
    /// The directory, for references to large values: nil leaves them unchecked.
    var directory: (contents: TableDirectory, names: FileNames, damaged: Set<FileNumber>)?

    /// A check for one thread.
    func makeWorker(_ files: [SSTFile]) -> (Int) -> Outcome {
        let resolver = directory.map {
            BlobResolver($0.contents, $0.names, damaged: $0.damaged, fileSystem: fileSystem)
        }
        return { check(files[$0], resolver) }
    }

    private func check(_ item: SSTFile, _ resolver: BlobResolver?) -> Outcome {
        do throws(StorageError) {
            let file = try fileSystem.open(item.path, .read)
            let outcome: Outcome
            switch item {
            case .table(_, let table):
                outcome = .table(
                    TableVerifier.verify(
                        file, expected: table?.expected ?? .init(), findingLimit: findingLimit,
                        blobs: resolver, keyring: fileSystem.keyring, plan: plan))
            case .blob(_, let blob):
                outcome = .blob(
                    BlobVerifier.verify(
                        file, expected: blob, findingLimit: findingLimit,
                        keyring: fileSystem.keyring, plan: plan))
            }
            try file.close()
            return outcome
        } catch  where error.code == .notFound {
            return .missing
        } catch {
            return .failed(error)
        }
    }
}
