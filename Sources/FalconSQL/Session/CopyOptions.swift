import FalconSchema

/// COPY's options, checked.
struct CopyOptions {
    var isCSV = false
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

    init(_ options: [AST.Option]) throws(SQLError) {
        var hasDelimiter = false
        var hasNull = false
        var quoteText: String?
        var escapeText: String?
        for option in options {
            let text = option.stringValue ?? ""
            switch option.name.lowercased() {
            case "format":
                switch text.lowercased() {
                case "text": isCSV = false
                case "csv": isCSV = true
                case "binary":
                    throw SQLError(
                        .featureNotSupported, "COPY format \"binary\" is not supported yet")
                default:
                    throw SQLError(
                        .invalidParameterValue, "COPY format \"\(text)\" not recognized",
                        byteOffset: option.location)
                }
            case "delimiter":
                guard text.utf8.count == 1, let byte = text.utf8.first else {
                    throw SQLError(
                        .featureNotSupported, "COPY delimiter must be a single one-byte character")
                }
                delimiter = byte
                hasDelimiter = true
            case "null":
                null = Array(text.utf8)
                hasNull = true
            case "header":
                if text.lowercased() == "match" {
                    hasHeader = true
                    matchesHeader = true
                } else {
                    guard let flag = option.boolValue else {
                        throw SQLError(
                            .invalidParameterValue,
                            "header requires a Boolean value or \"match\"")
                    }
                    hasHeader = flag
                }
            case "quote": quoteText = text
            case "escape": escapeText = text
            case "force_quote":
                if case .star? = option.value { forcesQuoteAll = true }
                if case .names(let names)? = option.value { forcesQuote = Set(names) }
            case "force_not_null":
                if case .names(let names)? = option.value { forceNotNull = Set(names) }
            case "force_null":
                if case .names(let names)? = option.value { forceNull = Set(names) }
            case "freeze", "encoding", "oids": break
            default:
                throw SQLError(
                    .syntaxError, "option \"\(option.name)\" not recognized",
                    byteOffset: option.location)
            }
        }
        if isCSV {
            if !hasDelimiter { delimiter = 0x2C }
            if !hasNull { null = [] }
        }
        func single(_ text: String, _ name: String) throws(SQLError) -> UInt8 {
            guard isCSV else {
                throw SQLError(
                    .featureNotSupported, "COPY \(name) available only in CSV mode")
            }
            guard text.utf8.count == 1, let byte = text.utf8.first else {
                throw SQLError(
                    .featureNotSupported, "COPY \(name) must be a single one-byte character")
            }
            return byte
        }
        if let quoteText { quote = try single(quoteText, "quote") }
        escape = quote
        if let escapeText { escape = try single(escapeText, "escape") }
        if delimiter == 0x0A || delimiter == 0x0D {
            throw SQLError(
                .invalidParameterValue, "COPY delimiter cannot be newline or carriage return")
        }
        if isCSV, delimiter == quote {
            throw SQLError(
                .invalidParameterValue, "COPY delimiter and quote must be different")
        }
    }
}
