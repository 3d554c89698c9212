import FalconSchema

/// COPY's options, checked.
struct CopyOptions {
    var isCSV = false
    var isBinary = false
    var format: CopyFormat { isBinary ? .binary : isCSV ? .csv : .text }
    var delimiter: UInt8 = 0x09
    var null: [UInt8] = Array("\\N".utf8)
    var hasHeader = false
    var matchesHeader = false
    var quote: UInt8 = 0x22
    var escape: UInt8 = 0x22
    var forcesQuote: Set<String> = []
    var forcesQuoteAll = false
    var forceNotNull: Set<String> = []
    var forceNull: Set<String> = []
    var isFrozen = false

    /// `isFrom`: of COPY FROM, which has other options than COPY TO.
    init(_ options: [AST.Option], isFrom: Bool) throws(SQLError) {
        var seen: Set<String> = []
        var delimiterText: String?
        var nullText: String?
        var quoteText: String?
        var escapeText: String?
        for option in options {
            let name = option.name.lowercased()
            guard seen.insert(name).inserted else {
                throw SQLError(
                    .syntaxError, "conflicting or redundant options",
                    byteOffset: option.location)
            }
            let text = option.stringValue ?? ""
            switch name {
            case "format": try setFormat(text, option)
            case "delimiter": delimiterText = text
            case "null": nullText = text
            case "header": try setHeader(option, isFrom: isFrom)
            case "quote": quoteText = text
            case "escape": escapeText = text
            case "force_quote":
                if case .star? = option.value { forcesQuoteAll = true }
                forcesQuote = Self.names(option)
            case "force_not_null": forceNotNull = Self.names(option)
            case "force_null": forceNull = Self.names(option)
            case "freeze":
                guard let flag = option.boolValue else {
                    throw SQLError(.syntaxError, "freeze requires a Boolean value")
                }
                isFrozen = flag
            case "encoding":
                let plain = text.lowercased().filter { $0.isLetter || $0.isNumber }
                guard ["utf8", "unicode", "sqlascii"].contains(plain) else {
                    throw SQLError(
                        .invalidParameterValue,
                        "argument to option \"encoding\" must be a valid encoding name",
                        byteOffset: option.location)
                }
            default:
                throw SQLError(
                    .syntaxError, "option \"\(option.name)\" not recognized",
                    byteOffset: option.location)
            }
        }
        if isBinary,
            let option = delimiterText.map({ _ in "DELIMITER" }) ?? nullText.map({ _ in "NULL" })
        {
            throw SQLError(.syntaxError, "cannot specify \(option) in BINARY mode")
        }
        if isCSV {
            delimiter = 0x2C
            null = []
        }
        if let delimiterText { delimiter = try Self.single(delimiterText, "delimiter") }
        if let nullText { null = Array(nullText.utf8) }
        try checkDelimiterAndNull()
        if isBinary, hasHeader {
            throw SQLError(.featureNotSupported, "cannot specify HEADER in BINARY mode")
        }
        try setQuoting(quoteText, escapeText)
        try checkForced(seen, isFrom: isFrom)
    }

    private static func names(_ option: AST.Option) -> Set<String> {
        if case .names(let names)? = option.value { return Set(names) }
        return []
    }

    private static func single(_ text: String, _ name: String) throws(SQLError) -> UInt8 {
        guard text.utf8.count == 1, let byte = text.utf8.first else {
            throw SQLError(
                .featureNotSupported, "COPY \(name) must be a single one-byte character")
        }
        return byte
    }

    private mutating func setFormat(_ text: String, _ option: AST.Option) throws(SQLError) {
        switch text {
        case "text": isCSV = false
        case "csv": isCSV = true
        case "binary": isBinary = true
        default:
            throw SQLError(
                .invalidParameterValue, "COPY format \"\(text)\" not recognized",
                byteOffset: option.location)
        }
    }

    private mutating func setHeader(_ option: AST.Option, isFrom: Bool) throws(SQLError) {
        if option.stringValue?.lowercased() == "match" {
            guard isFrom else {
                throw SQLError(
                    .featureNotSupported, "cannot use \"match\" with HEADER in COPY TO")
            }
            hasHeader = true
            matchesHeader = true
            return
        }
        guard let flag = option.boolValue else {
            throw SQLError(.syntaxError, "header requires a Boolean value or \"match\"")
        }
        hasHeader = flag
    }

    private func checkDelimiterAndNull() throws(SQLError) {
        if delimiter == 0x0A || delimiter == 0x0D {
            throw SQLError(
                .invalidParameterValue, "COPY delimiter cannot be newline or carriage return")
        }
        if null.contains(0x0A) || null.contains(0x0D) {
            throw SQLError(
                .invalidParameterValue,
                "COPY null representation cannot use newline or carriage return")
        }
        // What could be mistaken for a part of an escape or of the end-of-copy marker.
        if !isCSV, "\\.abcdefghijklmnopqrstuvwxyz0123456789".utf8.contains(delimiter) {
            throw SQLError(
                .invalidParameterValue,
                "COPY delimiter cannot be \"\(Character(Unicode.Scalar(delimiter)))\"")
        }
    }

    private mutating func setQuoting(
        _ quoteText: String?, _ escapeText: String?
    ) throws(SQLError) {
        if quoteText != nil, !isCSV {
            throw SQLError(.featureNotSupported, "COPY quote available only in CSV mode")
        }
        if let quoteText { quote = try Self.single(quoteText, "quote") }
        if isCSV, delimiter == quote {
            throw SQLError(
                .invalidParameterValue, "COPY delimiter and quote must be different")
        }
        if escapeText != nil, !isCSV {
            throw SQLError(.featureNotSupported, "COPY escape available only in CSV mode")
        }
        escape = quote
        if let escapeText { escape = try Self.single(escapeText, "escape") }
    }

    private func checkForced(_ seen: Set<String>, isFrom: Bool) throws(SQLError) {
        for (option, name, belongsToFrom) in [
            ("force_quote", "force quote", false), ("force_not_null", "force not null", true),
            ("force_null", "force null", true),
        ] where seen.contains(option) {
            if !isCSV {
                throw SQLError(.featureNotSupported, "COPY \(name) available only in CSV mode")
            }
            if belongsToFrom != isFrom {
                throw SQLError(
                    .featureNotSupported,
                    "COPY \(name) only available using COPY \(belongsToFrom ? "FROM" : "TO")")
            }
        }
        if null.contains(delimiter) {
            throw SQLError(
                .featureNotSupported,
                "COPY delimiter must not appear in the NULL specification")
        }
        if isCSV, null.contains(quote) {
            throw SQLError(
                .featureNotSupported,
                "CSV quote character must not appear in the NULL specification")
        }
    }
}
