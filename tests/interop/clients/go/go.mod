module driver

go 1.19

require lengthwise v0.0.0

replace lengthwise => ../../../../clients/go
