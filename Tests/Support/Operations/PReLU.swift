internal import AviaryGraph

extension OperationRow {
  package static let prelu: [OperationRow] = [
    .init(
      .prelu(PReLU(perChannel: true)), #"{"perChannel":true}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .prelu(PReLU(perChannel: false)),
      #"{"perChannel":false}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
  ]
}
