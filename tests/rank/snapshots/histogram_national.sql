WITH scored AS (
    SELECT f.regency AS area, f.regency, f.urban, f.family_size, lut1.v + lut2.v + lut3.v + lut4.v + lut5.v + lut6.v + lut7.v + lut8.v AS score
    FROM family_packed AS f
    JOIN lut1 ON lut1.code = f.p1
    JOIN lut2 ON lut2.code = f.p2
    JOIN lut3 ON lut3.code = f.p3
    JOIN lut4 ON lut4.code = f.p4
    JOIN lut5 ON lut5.code = f.p5
    JOIN lut6 ON lut6.code = f.p6
    JOIN lut7 ON lut7.code = f.p7
    JOIN lut8 ON lut8.code = f.p8
)
SELECT area, urban, score, count(*) AS families, sum(family_size)::BIGINT AS persons
FROM scored
GROUP BY area, urban, score
