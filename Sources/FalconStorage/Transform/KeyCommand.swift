#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs the command that prints a master key, such as one that asks a key management service.
enum KeyCommand {
    private static let largestOutputBytes = 64 << 10

    static func run(_ command: String) throws(StorageError) -> [UInt8] {
        guard !command.isEmpty, let pipe = popen(command, "re") else {
            throw failure("It could not be started.")
        }
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while output.count <= largestOutputBytes {
            let count = fread(&piece, 1, piece.count, pipe)
            if count == 0 { break }
            output += piece[..<count]
        }
        let status = pclose(pipe)
        guard output.count <= largestOutputBytes else {
            throw failure("It printed more than \(largestOutputBytes) bytes.")
        }
        guard status == 0 else { throw failure(reason(status)) }
        return output
    }

    private static func reason(_ status: Int32) -> String {
        if status == -1 { return "How it ended is unknown (errno \(errno))." }
        let signal = status & 0x7F
        return signal != 0
            ? "Signal \(signal) ended it." : "It ended with status \(status >> 8 & 0xFF)."
    }

    private static func failure(_ why: String) -> StorageError {
        StorageError(
            .keyMissing, kind: .user, "The key command failed.", cause: why,
            hint: "Run it by hand: it has to print a key and end with status 0.")
    }
}
