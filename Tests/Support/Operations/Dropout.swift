internal import AviaryGraph

extension OperationRow {
  package static let dropout: [OperationRow] = [
    .init(.dropout(Dropout(rate: 0.25)), #"{"rate":0.25}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5])
  ]
}
