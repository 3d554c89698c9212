extension OID {
    public static let xid: OID = 28
    public static let cid: OID = 29
    public static let tid: OID = 27
    public static let oidvector: OID = 30
    public static let int2vector: OID = 22
    public static let pgNodeTree: OID = 194
    public static let money: OID = 790
    public static let aclitem: OID = 1033
    public static let timetz: OID = 1266
    public static let refcursor: OID = 1790
    public static let bit: OID = 1560
    public static let varbit: OID = 1562
    public static let regprocedure: OID = 2202
    public static let regoper: OID = 2203
    public static let regoperator: OID = 2204
    public static let regnamespace: OID = 4089
    public static let regrole: OID = 4096
    public static let regcollation: OID = 4191
    public static let regconfig: OID = 3734
    public static let regdictionary: OID = 3769
    public static let jsonb: OID = 3802
    public static let xid8: OID = 5069
    public static let pgSnapshot: OID = 5038
    public static let txidSnapshot: OID = 2970
    public static let pgLSN: OID = 3220

    public static let any: OID = 2276
    public static let anyarray: OID = 2277
    public static let trigger: OID = 2279
    public static let `internal`: OID = 2281
    public static let anyelement: OID = 2283
    public static let anynonarray: OID = 2776
    public static let anyenum: OID = 3500
    public static let anyrange: OID = 3831
    public static let anycompatible: OID = 5077
    public static let anycompatiblearray: OID = 5078
    public static let anycompatiblenonarray: OID = 5079
    public static let anycompatiblerange: OID = 5080

    public static let boolArray: OID = 1000
    public static let byteaArray: OID = 1001
    public static let charArray: OID = 1002
    public static let nameArray: OID = 1003
    public static let int2Array: OID = 1005
    public static let int4Array: OID = 1007
    public static let textArray: OID = 1009
    public static let bpcharArray: OID = 1014
    public static let varcharArray: OID = 1015
    public static let int8Array: OID = 1016
    public static let float4Array: OID = 1021
    public static let float8Array: OID = 1022
    public static let oidArray: OID = 1028
    public static let timestampArray: OID = 1115
    public static let dateArray: OID = 1182
    public static let timeArray: OID = 1183
    public static let timestamptzArray: OID = 1185
    public static let intervalArray: OID = 1187
    public static let numericArray: OID = 1231
    public static let cstringArray: OID = 1263
    public static let uuidArray: OID = 2951
    public static let jsonArray: OID = 199
    public static let jsonbArray: OID = 3807
}

extension SQLType {
    public static let time = SQLType(.time)
    public static let interval = SQLType(.interval)
    public static let bytea = SQLType(.bytea)
    public static let varchar = SQLType(.varchar)
    public static let name = SQLType(.name)
    public static let oid = SQLType(.oid)
    public static let uuid = SQLType(.uuid)
    public static let void = SQLType(.void)
    public static let record = SQLType(.record)
    public static let textArray = SQLType(.textArray)
    public static let int4Array = SQLType(.int4Array)
}
