internal import AviaryGraph

extension OperationRow {
  package static let windowAttention: [OperationRow] = [
    .init(
      WindowAttention(heads: 2, window: 2).op, #"{"heads":2,"window":2}"#, [2, 12, 4, 6],
      gives: [2, 4, 4, 6]),
    .init(
      WindowAttention(
        heads: 1, window: Size(4, 2), shift: Size(2, 1), scale: 0.5, maskValue: -.infinity
      ).op,
      #"{"heads":1,"maskValue":"-infinity","scale":0.5,"shift":[2,1],"window":[4,2]}"#,
      [1, 6, 8, 4], gives: [1, 2, 8, 4]),
    .init(
      WindowAttention(heads: 2, window: 2, keyMargin: 1).op,
      #"{"heads":2,"keyMargin":1,"window":2}"#, [1, 4, 4, 6], [1, 4, 4, 6], [1, 4, 4, 6],
      gives: [1, 4, 4, 6]),
    .init(
      WindowAttention(heads: 1, window: 2, .grid, positionBias: .none).op,
      #"{"arrangement":"grid","heads":1,"positionBias":"none","window":2}"#, [1, 6, 4, 6],
      gives: [1, 2, 4, 6]),
    .init(
      WindowAttention(heads: 2, window: 2, shift: 1, positionBias: .input).op,
      #"{"heads":2,"positionBias":"input","shift":1,"window":2}"#, [1, 12, 4, 4], [9, 2],
      gives: [1, 4, 4, 4]),
  ]
}
