import FalconSchema

extension FrontendParser {
    /// Parses the packet that opens a connection; `body` begins with the code word.
    static func parseStartup(
        _ body: UnsafeRawBufferPointer, refused: EncryptionKind?
    ) throws(SQLError) -> StartupRequest {
        var reader = MessageReader(body)
        let code = try reader.readUInt32()
        switch code {
        case WireProtocol.cancelRequestCode:
            let processID = try reader.readInt32()
            let secret = try reader.readInt32()
            try reader.expectEnd()
            return .cancel(processID: processID, secret: secret)
        case WireProtocol.sslRequestCode where refused != .ssl: return .encryption(.ssl)
        case WireProtocol.gssEncryptionRequestCode where refused != .gss: return .encryption(.gss)
        default: break
        }
        guard code >> 16 == WireProtocol.latestVersion >> 16 else {
            throw fatal(
                .featureNotSupported,
                "unsupported frontend protocol \(code >> 16).\(code & 0xFFFF): "
                    + "server supports 3.0 to 3.0")
        }
        return .startup(try parseParameters(&reader, version: code))
    }

    private static func parseParameters(
        _ reader: inout MessageReader, version: UInt32
    ) throws(SQLError) -> StartupParameters {
        var user = ""
        var database = ""
        var settings: [(String, String)] = []
        var optionSettings: [(String, String)] = []
        var unknownOptions: [String] = []
        while true {
            guard reader.remaining > 0 else { throw missingTerminator }
            let name = try reader.readString()
            if name.isEmpty { break }
            let value = try reader.readString()
            switch name {
            case "user": user = value
            case "database": database = value
            case "options": optionSettings += try parseOptions(value)
            case "replication":
                guard ["false", "off", "no", "0", ""].contains(value) else {
                    throw fatal(
                        .featureNotSupported, "replication connections are not supported")
                }
            default:
                if name.hasPrefix("_pq_.") {
                    unknownOptions.append(name)
                } else {
                    settings.append((name, value))
                }
            }
        }
        guard reader.remaining == 0 else { throw missingTerminator }
        guard !user.isEmpty else {
            throw fatal(
                SQLState("28000"), "no PostgreSQL user name specified in startup packet")
        }
        return StartupParameters(
            version: version, user: truncatedName(user),
            database: truncatedName(database.isEmpty ? user : database),
            settings: settings + optionSettings, unknownOptions: unknownOptions)
    }

    /// The `options` parameter: switches of the postgres command line, of which only `-c name=value`
    /// and `--name=value` set anything. A backslash quotes the next character.
    private static func parseOptions(_ text: String) throws(SQLError) -> [(String, String)] {
        var words: [String] = []
        var word = ""
        var hasWord = false
        var isQuoted = false
        for scalar in text.unicodeScalars {
            if isQuoted {
                word.unicodeScalars.append(scalar)
                isQuoted = false
            } else if scalar == "\\" {
                isQuoted = true
                hasWord = true
            } else if scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" {
                if hasWord { words.append(word) }
                word = ""
                hasWord = false
            } else {
                word.unicodeScalars.append(scalar)
                hasWord = true
            }
        }
        if hasWord { words.append(word) }

        var settings: [(String, String)] = []
        var rest = words[...]
        while let first = rest.popFirst() {
            let assignment: String
            if first == "-c", let next = rest.popFirst() {
                assignment = next
            } else if first.hasPrefix("-c"), first != "-c" {
                assignment = String(first.dropFirst(2))
            } else if first.hasPrefix("--") {
                assignment = String(first.dropFirst(2))
            } else {
                throw fatal(
                    .syntaxError, "invalid command-line argument for server process: \(first)")
            }
            guard let equals = assignment.firstIndex(of: "=") else {
                throw fatal(.syntaxError, "-c \(assignment) requires a value")
            }
            let name = assignment[..<equals].map { $0 == "-" ? "_" : $0 }
            settings.append((String(name), String(assignment[assignment.index(after: equals)...])))
        }
        return settings
    }

    /// Names are cut to 63 bytes, on a character's boundary.
    private static func truncatedName(_ name: String) -> String {
        guard name.utf8.count > 63 else { return name }
        var result = ""
        var count = 0
        for scalar in name.unicodeScalars {
            count += UTF8.width(scalar)
            if count > 63 { break }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    private static var missingTerminator: SQLError {
        fatal(
            .protocolViolation,
            "invalid startup packet layout: expected terminator as last byte")
    }

    private static func fatal(_ state: SQLState, _ message: String) -> SQLError {
        SQLError(state, message, severity: .fatal)
    }
}
