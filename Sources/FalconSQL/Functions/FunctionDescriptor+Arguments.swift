import FalconSchema

extension FunctionDescriptor {
    /// What pg_proc and \\df say of an argument or of a column of the result.
    struct Argument {
        /// pg_proc.proargmodes: i, v or o.
        var mode: Unicode.Scalar
        var name: String
        var type: OID
        /// As SQL; nil: it must be given.
        var defaultText: String?
    }

    /// The arguments in order, then the result's columns.
    var allArguments: [Argument] {
        let texts = Self.defaultTexts(oid.rawValue)
        let required = argumentTypes.count - min(defaults.count, argumentTypes.count)
        var result: [Argument] = []
        for (index, type) in argumentTypes.enumerated() {
            let isVariadic = variadicElement != .invalid && index == argumentTypes.count - 1
            let place = index - required
            result.append(
                Argument(
                    mode: isVariadic ? "v" : "i",
                    name: argumentNames.indices.contains(index) ? argumentNames[index] : "",
                    type: type, defaultText: texts.indices.contains(place) ? texts[place] : nil))
        }
        return result + resultColumns.map { Argument(mode: "o", name: $0.name, type: $0.type) }
    }

    /// As pg_get_function_arguments() writes them.
    func argumentText(withDefaults: Bool) -> String {
        allArguments.map { argument in
            var text =
                switch argument.mode {
                case "o": "OUT "
                case "v": "VARIADIC "
                default: ""
                }
            if !argument.name.isEmpty { text += Quoting.identifier(argument.name) + " " }
            text += FalconSchema.TypeNames.format(argument.type)
            if withDefaults, let value = argument.defaultText { text += " DEFAULT " + value }
            return text
        }.joined(separator: ", ")
    }

    /// PostgreSQL's texts of the defaults, in the order of the last arguments.
    private static func defaultTexts(_ oid: UInt32) -> [String] {
        switch oid {
        case 3464: ["0", "0", "0", "0", "0", "0", "0.0"]  // make_interval
        case 1268, 2739, 3305: ["true"]  // parse_ident, pg_backup_stop, jsonb_set
        case 2096: ["0"]  // pg_terminate_backend
        case 3436: ["true", "60"]  // pg_promote
        case 3782...3785: ["'{}'::text[]"]  // pg_logical_slot_…_changes
        case 3779, 3786: ["false", "false"]  // pg_create_…_replication_slot
        case 2172, 3579, 3960, 3961: ["false"]  // pg_backup_start, jsonb_insert, json_populate_…
        case 4350, 4351: ["'NFC'::text"]  // normalize, is_normalized
        case 5054: ["true", "'use_json_null'::text"]  // jsonb_set_lax
        // jsonb_path_…
        case 1177, 1179, 1180, 2023, 2030, 4005...4009: ["'{}'::jsonb", "false"]
        default: []
        }
    }
}
