internal import AviaryGraph

extension OperationRow {
  package static let instanceNormalization: [OperationRow] = [
    .init(InstanceNormalization().op, "{}", [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      InstanceNormalization(epsilon: 1e-3, affine: false).op,
      #"{"affine":false,"epsilon":0.001}"#, [2, 3, 4, 5], gives: [2, 3, 4, 5]),
  ]
}
