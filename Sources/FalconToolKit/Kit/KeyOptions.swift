import ArgumentParser
import FalconStorage

/// How a tool is given the master key of an encrypted directory; put it into a command as
/// `@OptionGroup public var key`.
public struct KeyOptions: ParsableArguments {
    @Option(help: "Encrypted directory: file with the master key, 32 bytes or 64 hex digits.")
    public var keyFile: String?
    @Option(help: "Encrypted directory: file whose first line is the passphrase.")
    public var passphraseFile: String?
    @Option(help: "Encrypted directory: shell command that prints the master key.")
    public var keyCommand: String?

    public init() {}

    public func validate() throws {
        let given = [keyFile, passphraseFile, keyCommand].compactMap { $0 }
        if given.count > 1 {
            throw ValidationError("Give one of --key-file, --passphrase-file and --key-command.")
        }
    }

    var source: MasterKeySource? {
        if let keyFile { return .keyFile(keyFile) }
        if let passphraseFile { return .passphraseFile(passphraseFile) }
        return keyCommand.map { .command($0) }
    }
}

extension ToolContext {
    /// Opens the keys of the data directory `root` for everything that is read through this context from now on;
    /// does nothing where no key was given, or nothing is encrypted.
    func openKeys(_ options: KeyOptions, root: String) throws(StorageError) {
        guard let source = masterKey(options) else { return }
        try use(environment.withKeys(root: root, source))
    }

    /// The master key of this run, for everything that opens a directory in it: it is fetched once. Nil: none was
    /// given.
    func masterKey(_ options: KeyOptions) -> MasterKeySource? {
        if sharedKey == nil { sharedKey = options.source.map(SharedMasterKey.init) }
        return sharedKey.map { .shared($0) }
    }
}
